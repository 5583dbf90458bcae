from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from servestatic.storage import CompressedManifestStaticFilesStorage

from project.minifying import joined, minified

OWN = ("css/", "js/")
DIGITS = 8
STYLES = "css/app.css"  # into which all the others are put


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Static files under hashed names, the modules that JavaScript imports included; our own ones minified before."""

    support_js_module_import_aggregation = True

    def file_hash(self, name: str, content: Any = None) -> str:
        """Name it by a few digits only: every module that is imported is named by each that does."""
        return str(super().file_hash(name, content) or "")[:DIGITS]

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if not dry_run:
            paths = self._with_own_minified(paths)
        yield from super().post_process(paths, dry_run=dry_run, **options)

    def _with_own_minified(self, paths: dict[str, Any]) -> dict[str, Any]:
        texts = {name: _text(*place) for name, place in paths.items() if name.startswith(OWN)}
        served = {name: text for name, text in texts.items() if not name.startswith("css/")}
        if STYLES in texts:
            served[STYLES] = joined(STYLES, texts)
        for name, text in minified(served).items():
            self.delete(name)
            self.save(name, ContentFile(text.encode()))
        others = {name: place for name, place in paths.items() if name not in texts}
        return others | {name: (self, name) for name in served}


def _text(storage: Any, name: str) -> str:
    with storage.open(name) as file:
        return str(file.read().decode())
