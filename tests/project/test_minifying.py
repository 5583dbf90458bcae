from __future__ import annotations

from importlib.util import find_spec

import pytest

from project.minifying import minified

needs_library = pytest.mark.skipif(find_spec("minify") is None, reason="there is no library for this machine")
SHEET = "a {\n  color: red;\n}\n"


@needs_library
def test_texts_are_made_smaller_and_say_the_same() -> None:
    script = 'import "./a.js";\n\n// What is said.\nconst text = `a  //  ${1 + 1}  b`;\nimport { b } from "./b.js";\n'
    small = minified({"js/x.js": script, "css/a.css": SHEET})
    assert small["css/a.css"] == "a{color:red}"
    assert "`a  //  ${1+1}  b`" in small["js/x.js"]
    assert "What is said" not in small["js/x.js"]
    assert small["js/x.js"].endswith('"./b.js";')


@needs_library
def test_what_can_not_be_minified_is_served_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    texts = {"js/x.js": "export function (", "css/a.css": SHEET}
    assert minified(texts) == texts
    assert "served as they are" in caplog.text
