from __future__ import annotations

import pytest

from project.joining import joined_scripts, joined_styles

SHEETS = {
    "css/app.css": (
        '@layer base, parts;\n@import url("a.css") layer(base);\n@import url("b.css") layer(parts);\n'
        '@import url("c.css") layer(parts);\n'
    ),
    "css/a.css": "a {\n  color: red;\n}\n",
    "css/b.css": ".b {\n  color: blue;\n}\n",
    "css/c.css": ".c {\n  color: tan;\n}\n",
}
SCRIPTS = {
    "js/page.js": 'import "./own.js";\nimport { both } from "./lib/both.js";\n\nboth();\n',
    "js/own.js": (
        'import {\n  both as shared,\n} from "./lib/both.js";\nimport { MOST, used } from "./lib/used.js";\n\n'
        "shared(MOST, used);\n"
    ),
    "js/lib/used.js": "export const MOST = 3;\nconst kept = 1;\n\nexport async function used() {\n  return kept;\n}\n",
    "js/other.js": 'import { both } from "./lib/both.js";\n\nboth(2);\n',
    "js/lib/both.js": "export function both() {}\n",
}
PAGE = """import * as m0 from "./lib/both.js";
const m1 = (() => {
const MOST = 3;
const kept = 1;

async function used() {
  return kept;
}
return { MOST, used };
})();
const m2 = (() => {
const {
  both: shared,
} = m0;
const { MOST, used } = m1;

shared(MOST, used);
return {  };
})();
const { both } = m0;

both();
"""


def test_imported_sheets_stand_in_their_layers() -> None:
    assert joined_styles(SHEETS) == {
        "css/app.css": (
            "@layer base, parts;\n@layer base {\na {\n  color: red;\n}\n}\n"
            "@layer parts {\n.b {\n  color: blue;\n}\n.c {\n  color: tan;\n}\n}\n"
        )
    }
    assert joined_styles({"css/app.css": SHEETS["css/a.css"]}) == {"css/app.css": SHEETS["css/a.css"]}


def test_what_only_one_script_needs_is_put_into_it() -> None:
    assert joined_scripts(SCRIPTS) == {
        "js/page.js": PAGE,
        "js/other.js": SCRIPTS["js/other.js"],
        "js/lib/both.js": SCRIPTS["js/lib/both.js"],
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('import { used } from "./lib/used.js";\nexport default used;\n', "js/own.js: export default used;"),
        ('import own from "./lib/used.js";\n', 'js/own.js: import own from "./lib/used.js";'),
        ('import "./page.js";\n', "js/page.js imports itself by way of others"),
    ],
)
def test_what_can_not_be_joined_is_refused(text: str, complaint: str) -> None:
    entry = {"js/entry.js": 'import "./page.js";\n'}
    with pytest.raises(ValueError, match="js/") as refusal:
        joined_scripts(SCRIPTS | entry | {"js/own.js": text})
    assert str(refusal.value) == complaint
