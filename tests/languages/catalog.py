"""The texts of the product, and how far a language has got with them.

GNU gettext is missing on many machines: Babel reads and writes the catalogs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "locale"
FOLDERS = ("accounts", "invites", "messaging", "project", "rooms", "templates")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?\w+[^>]*>|https?://\S+")
# A header that says the same whenever it is written.
WRITTEN_AT = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "# The texts of Earshot. Written by: make messages"


def extracted() -> Catalog:
    """Return the texts that the code and the templates have now, each with the files that it stands in."""
    catalog = Catalog()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if _may_speak(path)):
        for _line, message, _comments, context in _texts_in(path):
            name = path.relative_to(ROOT).as_posix()
            catalog.add(message, locations=[(name, 0)], context=context)
    return catalog


def of_language(language: str) -> Catalog:
    with po_of(language).open("rb") as file:
        return read_po(file, locale=language)


def languages() -> list[str]:
    return sorted(path.name for path in LOCALES.iterdir() if path.is_dir())


def po_of(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def mo_of(language: str) -> Path:
    return po_of(language).with_suffix(".mo")


def compiled(catalog: Catalog) -> bytes:
    """Return the catalog as Python's gettext reads it."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def decompiled(content: bytes) -> Catalog:
    catalog = read_mo(BytesIO(content))
    for message in catalog:
        # Babel leaves it as it was read.
        message.context = message.context and str(message.context, "utf-8")  # type: ignore[call-overload]  # bytes, whatever the stubs say
    return catalog


def forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return a text, or a translation, as its forms by number: most have one."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def renewed(language: str) -> bytes:
    """Return a language's catalog with the texts of now: what is new is empty, what is gone is left out."""
    catalog = of_language(language)
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.header_comment = HEADER
    catalog.project, catalog.version = "Earshot", "1"
    catalog.creation_date = catalog.revision_date = WRITTEN_AT
    catalog.fuzzy = False
    file = BytesIO()
    write_po(file, catalog, width=120, include_lineno=False, sort_by_file=True, omit_header=False)
    return file.getvalue()


def faults(catalog: Catalog) -> list[str]:
    """Name every text that a catalog lacks, is unsure of, has too much, or has with other placeholders."""
    wanted, found = _by_text(extracted()), _by_text(catalog)
    missing = [f"missing: {text}" for text in wanted if text not in found or not _is_said(found[text])]
    left_over = [f"no longer said: {text}" for text in found if text not in wanted]
    said = [message for text, message in found.items() if text in wanted and _is_said(message)]
    fuzzy = [f"fuzzy: {message.id!r}" for message in said if message.fuzzy]
    return missing + left_over + fuzzy + [f"placeholders: {message.id!r}" for message in said if not _fits(message)]


def _may_speak(path: Path) -> bool:
    return path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts and "texts" not in path.parts


def _texts_in(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    source = path.read_text()
    if path.suffix != ".py":
        # In brackets, so that the blanks that stand for markup are no indentation.
        source = f"({templatize(source)})"
    yield from extract("python", BytesIO(source.encode()), keywords=KEYWORDS)


def _by_text(catalog: Catalog) -> dict[str, Message]:
    return {f"{message.context or ''} {message.id!r}".strip(): message for message in catalog if message.id}


def _is_said(message: Message) -> bool:
    return all(forms(message.string)) and message.string is not None


def _fits(message: Message) -> bool:
    """Tell whether each form has the placeholders, elements and edges of the text that it translates."""
    wanted = [_marks(text) for text in forms(message.id)]
    return all(_marks(form) in wanted for form in forms(message.string))


def _marks(text: str) -> tuple[Counter[str], bool, bool]:
    return Counter(PLACEHOLDER.findall(text)), text.startswith("\n"), text.endswith("\n")
