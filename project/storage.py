from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from servestatic.storage import CompressedManifestStaticFilesStorage

from project.joining import joined_scripts, joined_styles
from project.minifying import minified

OWN = ("css/", "js/")
DIGITS = 8


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Static files under hashed names, the modules that JavaScript imports included. Our own ones are joined and
    minified before.
    """

    support_js_module_import_aggregation = True

    def file_hash(self, name: str, content: Any = None) -> str:
        """Name it by a few digits only: every module that is imported is named by each that does."""
        return str(super().file_hash(name, content) or "")[:DIGITS]

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if not dry_run:
            paths = self._with_own_prepared(paths)
        yield from super().post_process(paths, dry_run=dry_run, **options)

    def _with_own_prepared(self, paths: dict[str, Any]) -> dict[str, Any]:
        texts = {name: _text(*place) for name, place in paths.items() if name.startswith(OWN)}
        sheets, scripts = ({name: texts[name] for name in texts if name.endswith(end)} for end in (".css", ".js"))
        served = minified(joined_styles(sheets) | joined_scripts(scripts))
        for name, text in served.items():
            self.delete(name)
            self.save(name, ContentFile(text.encode()))
        others = {name: place for name, place in paths.items() if name not in texts}
        return others | {name: (self, name) for name in served}


def _text(storage: Any, name: str) -> str:
    with storage.open(name) as file:
        return str(file.read().decode())
