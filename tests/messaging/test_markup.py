from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pygments.lexers import get_all_lexers

from messaging import markup
from project.cleaning import clean_body
from tests.messaging.markup_reading import read

WORST_SECONDS = 1.0  # of processor time; a message takes a tenth of it where nothing else runs

# The ways of OWASP's filter evasion cheat sheet, each once.
HOSTILE = (
    "<script>window.__x=1</script>",
    "<SCRIPT SRC=//x.example/x.js></SCRIPT>",
    "<scr<script>ipt>window.__x=1</scr</script>ipt>",
    "<img src=x onerror=window.__x=1>",
    "<IMG SRC=`javascript:window.__x=1`>",
    '<IMG """><SCRIPT>window.__x=1</SCRIPT>"\\>',
    "<img src=x:x onerror\u000a=window.__x=1//",
    "<svg onload=window.__x=1>",
    "<svg><style><img src=x onerror=window.__x=1></style></svg>",
    "<math><mi//xlink:href='data:x,<script>window.__x=1</script>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.__x=1&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=window.__x=1>'>",
    "<!--><img src=x onerror=window.__x=1>-->",
    "<![CDATA[<script>window.__x=1</script>]]>",
    "<?xml version='1.0'?><script>window.__x=1</script>",
    "<iframe srcdoc='<script>window.__x=1</script>'></iframe>",
    "<object data=javascript:window.__x=1>",
    "<embed src=javascript:window.__x=1>",
    "<base href=//x.example/>",
    "<link rel=stylesheet href=//x.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:window.__x=1'>",
    "<form action=javascript:window.__x=1><button>go",
    "<details open ontoggle=window.__x=1>",
    "<div style='background:url(javascript:window.__x=1)'>",
    "<a href='javascript:window.__x=1'>x</a>",
    "<p id=csrf-token name=body class=shell>x</p>",
    "<textarea><img src=x onerror=window.__x=1></textarea>",
    "</textarea></form></body></html><script>window.__x=1</script>",
    "<template><script>window.__x=1</script></template>",
    "<x-element data-do=delete is=message-actions>",
    "&lt;script&gt;window.__x=1&lt;/script&gt;",
    "<script\x0c>window.__x=1</script>",
    "{{ request.user }}{% csrf_token %}",
    "`<script>window.__x=1</script>`",
    "```html\n<script>window.__x=1</script>\n```",
    '```js"onmouseover="window.__x=1\n1\n```',
    "```<img/src=x/onerror=window.__x=1>\n1\n```",
    '[x](https://x.example/"onmouseover="window.__x=1)',
    '[x](https://x.example "title\\" onmouseover=window.__x=1")',
    "![x](javascript:window.__x=1)",
    '![x" onerror="window.__x=1](https://x.example/x.png)',
    "[x]: javascript:window.__x=1\n\n[x]",
    "| a |\n|---|\n| <script>window.__x=1</script> |",
)
REFUSED_LINKS = (
    "javascript:window.__x=1",
    "JaVaScRiPt:window.__x=1",
    "java\tscript:window.__x=1",
    "java&#9;script:window.__x=1",
    "java&Tab;script:window.__x=1",
    "java&#x0A;script:window.__x=1",
    "java&#0;script:window.__x=1",
    "&#106;avascript:window.__x=1",
    "javascript&colon;window.__x=1",
    "javascript&#58;window.__x=1",
    "\u0001javascript:window.__x=1",
    "%6aavascript:window.__x=1",
    "feed:javascript:window.__x=1",
    "view-source:https://x.example",
    "vbscript:window.__x=1",
    "data:text/html,<script>window.__x=1</script>",
    "data:image/png;base64,AAAA",
    "DATA:text/html;base64,PHNjcmlwdD4=",
    "file:///etc/passwd",
    "ftp://x.example/",
    "blob:https://x.example/1",
    "//x.example/",
    "///x.example/",
    "\\\\x.example\\",
    "/rooms/",
    "?before=1",
    "#main",
    "https:x.example",
    "https:/x.example",
    "https://",
    "https:///x.example",
    "http://user@x.example/",
    "http://bank.example@x.example/",
    "http://bank.example:pass@x.example/",
    "http://bank.example%40x.example@y.example/",
    "https://bank.example\\@x.example/",
    "http://[::1",
    "http://\u2100.example@x.example/",
)
KEPT_LINKS = {
    "[x](https://x.example/a?b=c&d#e)": "https://x.example/a?b=c&d#e",
    "[x](HTTPS://X.example)": "HTTPS://X.example",
    "[x](http://127.0.0.1:8000/a)": "http://127.0.0.1:8000/a",
    "[x](mailto:ana@example.org)": "mailto:ana@example.org",
    "<https://x.example/>": "https://x.example/",
    "https://x.example/a_b_c": "https://x.example/a_b_c",
    "www.example.com": "http://www.example.com",
    "see https://x.example/, or": "https://x.example/",
    "(https://x.example/a(b))": "https://x.example/a(b)",
    "https://x.example/@ana": "https://x.example/@ana",
    "https://bücher.example/": "https://xn--bcher-kva.example/",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    found = read(text)
    assert (found.forbidden, found.open) == ([], [])
    assert found.text.strip()


def test_markup_that_is_not_markdown_is_text() -> None:
    assert markup.render("<b>x</b> & <script>") == "<p>&lt;b&gt;x&lt;/b&gt; &amp; &lt;script&gt;</p>"


@pytest.mark.parametrize("url", REFUSED_LINKS)
@pytest.mark.parametrize("form", ["[x]({})", "[x](<{}>)", "<{}>", "{}", "![x]({})", "[x][y]\n\n[y]: {}"])
def test_link_that_does_not_go_where_it_seems_to_is_text(form: str, url: str) -> None:
    found = read(form.format(url))
    assert found.forbidden == []
    # Where only a part of it is a link, that is a plain one, and its text says where it goes.
    for link in found.links:
        assert "@" not in link
        assert link.removeprefix("http://").removeprefix("https://").rstrip("/") in found.text


@pytest.mark.parametrize(("text", "href"), KEPT_LINKS.items())
def test_good_link_is_a_link(text: str, href: str) -> None:
    found = read(text)
    assert (found.links, found.forbidden) == ([href], [])


def test_nesting_is_cut() -> None:
    found = read("a\n" + ">" * 500 + " b")
    assert 10 < found.tags.count("blockquote") <= 20


@pytest.mark.parametrize("text", [">" * 500 + " x", "[x]: https://x.example", "> ", "#", "- \n- ", "<!-- x -->"])
def test_message_never_shows_as_nothing(text: str) -> None:
    found = read(text)
    assert (found.forbidden, found.text.strip()) == ([], text.strip())


WORST = {
    "open brackets": "[" * 8_000,
    "open links": "[a](" * 2_000,
    "nested images": "![" * 4_000,
    "references": "[a]: <b\n" * 1_000,
    "backticks": "".join("`" * number + " " for number in range(120)),
    "stars": "*" * 8_000,
    "alternating stars": "*a_" * 2_600,
    "stars and spaces": "**a " * 2_000,
    "strikes": "~~a" * 2_600,
    "quotes": ">" * 8_000,
    "deep lists": "\n".join("  " * level + "- a" for level in range(80)),
    "list markers": "- " * 4_000,
    "table": "|a" * 100 + "|\n" + "|-" * 100 + "|\n" + ("|b" * 100 + "|\n") * 38,
    "angle brackets": "<" * 8_000,
    "open comments": "<!-- " * 1_600,
    "entities": "&#x41;" * 1_300,
    "autolinks": "<http://a" * 880,
    "links": "http://a.example/ " * 444,
    "long host": "http://" + "a." * 3_990,
    "slashes": "http://a.example" + "/" * 7_900,
    "brackets in a link": "http://a.example/" + "(" * 7_900,
    "fuzzy links": "www." * 2_000,
    "addresses": "a@" * 4_000,
    "dashes": "-" * 8_000,
    "new lines": "a\n" * 4_000,
    "tabs": "\t" * 7_999 + "a",
    "escapes": "\\" * 8_000,
    "emoji": "😀" * 8_000,
    "bars": "|" * 8_000,
    "open spoilers": "||a " * 2_000,
    "spoilers": "||a||" * 1_600,
    "digits": "1" * 8_000,
    "joined emoji": "👩\u200d" * 4_000,
    "links with hosts": "[a](//b)[a](http://b)" * 380,
}


@pytest.mark.parametrize("text", WORST.values(), ids=WORST)
def test_worst_text_takes_bounded_time(text: str) -> None:
    assert spent_on(text[:8_000]) < WORST_SECONDS


@pytest.mark.parametrize("filling", [" \n", "a ", "_\n", "\\a", "'''a", "<<A\n"])
def test_worst_code_takes_bounded_time_in_every_language_there_is(filling: str) -> None:
    languages = {aliases[0] for _, aliases, _, _ in get_all_lexers(plugins=False) if aliases}
    assert len(languages) > 400
    code = filling * 8_000
    slow = {
        language
        for language in languages & markup._LANGUAGES
        if spent_on(f"```{language}\n{code[:1_990]}\n```\n" * 4) > WORST_SECONDS
    }
    assert slow == set()
    assert languages.issuperset(markup._LANGUAGES)


def spent_on(text: str) -> float:
    began = time.thread_time()
    markup.excerpt(markup.render(text), 100)
    return time.thread_time() - began


markdown_like = st.lists(
    st.one_of(
        st.sampled_from(
            (
                *("*", "_", "`", "```", "\n", "\n\n", "> ", "- ", "1. ", "[", "](", ")", "<", ">", "&", '"', "'", "|"),
                *("http://", "javascript:", "www.a.bc", "@", "//", "data:", "#", "\\", "    ", "&#x6a;", "<!--", "~~"),
                *(
                    "<script>",
                    "<img src=x onerror=1>",
                    "</pre>",
                    "class=x",
                    "```python\n",
                    "---\n",
                    "|-|\n",
                    "![",
                    ":",
                    "||",
                    "😀",
                ),
            )
        ),
        st.text(max_size=6),
    ),
    max_size=30,
).map("".join)


@given(markdown_like)
@example("```\x00<script>\n")
def test_nothing_but_allowed_markup_comes_out(text: str) -> None:
    found = read(text)
    assert (found.forbidden, found.open) == ([], [])


@given(markdown_like)
def test_rendering_twice_is_the_same(text: str) -> None:
    assert markup.render(text) == markup.render(text)


@given(st.text("ab 12.,!?éж中🚪", min_size=1).filter(lambda text: text.strip()))
def test_plain_words_come_out_as_they_went_in(text: str) -> None:
    words = clean_body(text)
    assert " ".join(read("x " + words).text.split()) == " ".join(f"x {words}".split())
