from servestatic.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Static files under hashed names, the modules that JavaScript imports included."""

    support_js_module_import_aggregation = True
