"""`make messages`: bring the catalogs to the texts of now, compile them, and say what is left to translate."""

import sys

from tests.languages import catalog


def main() -> int:
    left = []
    for language in catalog.languages():
        catalog.po_of(language).write_bytes(catalog.renewed(language))
        found = catalog.of_language(language)
        catalog.mo_of(language).write_bytes(catalog.compiled(found))
        left += [f"{language}: {fault}" for fault in catalog.faults(found)]
    sys.stdout.write("".join(f"{line}\n" for line in left) or "Every text is translated.\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
