"""Scripts and style sheets as browsers load them: the same, in fewer bytes. `python -m project.minifying` reads a JSON
object of texts by file name and writes it back.

A process of its own, because the library is a Go program inside: none of it is left in what goes on to serve.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TYPES = {".js": "application/javascript", ".css": "text/css"}
SECONDS = 120
logger = logging.getLogger(__name__)


def minified(texts: dict[str, str]) -> dict[str, str]:
    """Return the texts minified; as they are where that can't be done, for Earshot runs with them too."""
    if find_spec("minify") is None:
        return texts
    command = [sys.executable, "-m", "project.minifying"]
    ended = subprocess.run(
        command, input=json.dumps(texts), capture_output=True, check=False, cwd=TOP, timeout=SECONDS, text=True
    )
    if ended.returncode:
        logger.warning("Scripts and style sheets are served as they are, not minified: %s", ended.stderr)
        return texts
    found: dict[str, str] = json.loads(ended.stdout)
    return found


def main() -> None:
    import minify  # noqa: PLC0415 (only here: see above)

    texts = json.load(sys.stdin)
    made = {name: minify.string(TYPES[Path(name).suffix], text) for name, text in texts.items()}
    json.dump({name: _ended(name, text) for name, text in made.items()}, sys.stdout)


def _ended(name: str, text: str) -> str:
    """Django finds an import by the semicolon after it, which the last statement has lost."""
    return f"{text};" if name.endswith(".js") and not text.endswith((";", "}")) else text


if __name__ == "__main__":
    main()
