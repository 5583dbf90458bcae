from __future__ import annotations

from importlib.util import find_spec

import pytest

from project.minifying import joined, minified

needs_library = pytest.mark.skipif(find_spec("minify") is None, reason="there is no library for this machine")
SHEETS = {
    "css/app.css": (
        '@layer base, parts;\n@import url("a.css") layer(base);\n@import url("b.css") layer(parts);\n'
        '@import url("c.css") layer(parts);\n'
    ),
    "css/a.css": "a {\n  color: red;\n}\n",
    "css/b.css": ".b {\n  color: blue;\n}\n",
    "css/c.css": ".c {\n  color: tan;\n}\n",
}


def test_imported_sheets_stand_in_their_layers() -> None:
    assert joined("css/app.css", SHEETS) == (
        "@layer base, parts;\n@layer base {\na {\n  color: red;\n}\n}\n"
        "@layer parts {\n.b {\n  color: blue;\n}\n.c {\n  color: tan;\n}\n}\n"
    )
    assert joined("css/a.css", SHEETS) == SHEETS["css/a.css"]


@needs_library
def test_texts_are_made_smaller_and_say_the_same() -> None:
    script = 'import "./a.js";\n\n// What is said.\nconst text = `a  //  ${1 + 1}  b`;\nimport { b } from "./b.js";\n'
    small = minified({"js/x.js": script, "css/a.css": SHEETS["css/a.css"]})
    assert small["css/a.css"] == "a{color:red}"
    assert "`a  //  ${1+1}  b`" in small["js/x.js"]
    assert "What is said" not in small["js/x.js"]
    assert small["js/x.js"].endswith('"./b.js";')


@needs_library
def test_what_can_not_be_minified_is_served_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    texts = {"js/x.js": "export function (", "css/a.css": SHEETS["css/a.css"]}
    assert minified(texts) == texts
    assert "served as they are" in caplog.text
