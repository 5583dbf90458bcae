from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pygments.lexers import get_all_lexers

from messaging import markup
from project.cleaning import clean_body

ALLOWED: dict[str, set[str]] = {
    "p": {"class"},
    **{tag: set() for tag in ("em", "strong", "s", "del", "pre", "blockquote", "ul", "li", "br", "hr")},
    **{tag: set() for tag in ("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td")},
    "a": {"href", "rel"},
    "code": {"class"},
    "span": {"class"},
    "ol": {"start"},
}
REL = "nofollow noopener noreferrer ugc"
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


class Reading(HTMLParser):
    """What a browser's parser finds in a message's HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.forbidden: list[object] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"br", "hr"}:
            self.open.append(tag)
        if tag not in ALLOWED or {name for name, _ in attrs} - ALLOWED[tag]:
            self.forbidden.append((tag, attrs))
        if tag == "a":
            self.see_link(dict(attrs))

    def see_link(self, attributes: dict[str, str | None]) -> None:
        href = attributes.get("href")
        self.links += [href] if href else []  # without one it leads nowhere
        if href and not href.lower().startswith(("http://", "https://", "mailto:")):
            self.forbidden.append(href)
        if attributes.get("rel") != REL:
            self.forbidden.append(attributes)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.forbidden.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.forbidden.append(data)

    def handle_decl(self, decl: str) -> None:
        self.forbidden.append(decl)

    def handle_pi(self, data: str) -> None:
        self.forbidden.append(data)

    def unknown_decl(self, data: str) -> None:
        self.forbidden.append(data)


def read(text: str) -> Reading:
    return Reading(markup.render(text))


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


def test_address_is_not_made_a_link_of_by_itself() -> None:
    assert read("ana@example.org and user@https://x.example").links == ["https://x.example"]


def test_images_are_not_loaded() -> None:
    assert read("![a cat](https://x.example/cat.png)").tags == ["p", "a", "span"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>"),
        ("a\nb", "<p>a<br>\nb</p>"),
        ("> a\n> > b", "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("---", "<hr>"),
        ("👨‍👩‍👧‍👦 مرحبا", "<p>👨‍👩‍👧‍👦 مرحبا</p>"),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert markup.render(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("||a **b**|| c", '<p><span class="spoiler">a <strong>b</strong></span> c</p>'),
        ("**a ||b** c||", '<p>**a <span class="spoiler">b** c</span></p>'),
        ("x ||a\nb||", '<p>x <span class="spoiler">a<br>\nb</span></p>'),
        ("a || b || c", "<p>a || b || c</p>"),
        ("||a", "<p>||a</p>"),
        ("||||", "<p>||||</p>"),
        ("`||a||`", "<p><code>||a||</code></p>"),
        (r"\||a||", "<p>||a||</p>"),
    ],
)
def test_spoiler_is_what_stands_between_two_bars(text: str, html: str) -> None:
    assert markup.render(text) == html


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("it was ||the\ncook||!", "it was ▒▒▒!"),
        ("a || b || c", "a || b || c"),
        ("||a|| ||b||", "▒▒▒ ▒▒▒"),
        ("||`a` [b](https://example.org) c|| d", "▒▒▒ d"),
    ],
)
def test_quoted_spoiler_is_covered(text: str, covered: str) -> None:
    assert markup.excerpt(markup.render(text), 100) == covered


@pytest.mark.parametrize("text", ["😀", "👍🏽 🎉", "👨‍👩‍👧‍👦", "🇩🇪🇫🇷", "1️⃣", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🤷🏽‍♀️", "⭐\n⭐", "😀" * 12])
def test_few_emoji_alone_are_large(text: str) -> None:
    assert markup.render(text).startswith('<p class="jumbo">')


@pytest.mark.parametrize(
    "text", ["😀!", "a 😀", "1", "42", "#", "©", "-> 😀", "😀" * 13, "> 😀", "- 😀", "`😀`", "😀\n\n😀"]
)
def test_emoji_among_other_things_are_not(text: str) -> None:
    assert "jumbo" not in markup.render(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[the plan](https://x.example/a)", "the plan (x.example)"),
        ("[https://bank.example](https://x.example/a)", "https://bank.example (x.example)"),
        ("[**bank.example**](https://x.example/)", "bank.example (x.example)"),
        ("[x.example.evil](https://x.example/)", "x.example.evil (x.example)"),
        ("[ana](mailto:ana@example.org)", "ana (ana@example.org)"),
        ("[`bücher.example`](https://xn--bcher-kva.evil/)", "bücher.example (xn--bcher-kva.evil)"),
        ("[x.example](https://x.example/a)", "x.example"),
        ("[http://x.example/](https://x.example)", "http://x.example/"),
        ("https://x.example/a_b", "https://x.example/a_b"),
        ("www.example.com", "www.example.com"),
        ("https://bücher.example/ä ö", "https://bücher.example/ä ö"),
    ],
)
def test_link_says_where_it_goes_unless_its_text_does(text: str, shown: str) -> None:
    assert read(text).text == shown


@pytest.mark.parametrize("language", ["python", "py", "js", "ts", "sh", "c++", "yml", "rs"])
def test_code_of_a_known_language_is_coloured(language: str) -> None:
    html = markup.render(f"```{language}\nif x: return 'a' # b\n```")
    assert html.startswith(f'<pre><code class="language-{language}">')
    assert '<span class="' in html


@pytest.mark.parametrize("language", ["", "no-such-language", "autohotkey", "maple", "../x", "x" * 500])
def test_code_of_any_other_language_is_plain(language: str) -> None:
    found = read(f"```{language}\nif x: return 'a' # b\n```")
    assert (found.tags, found.text.strip()) == (["pre", "code"], "if x: return 'a' # b")


def test_long_code_is_plain_and_whole() -> None:
    code = "x = 1\n" * 1_000
    assert '<span class="' in markup.render(f"```python\n{code[:1_500]}\n```")
    found = read(f"```python\n{code}```")
    assert (found.tags, found.text) == (["pre", "code"], code)


def test_many_blocks_of_code_are_coloured_as_long_as_there_is_room_for_it() -> None:
    block = "```python\n" + "x = 1\n" * 200 + "```\n"
    coloured = [part.count("<span") > 0 for part in markup.render(block * 3).split("<pre>")[1:]]
    assert coloured == [True, False, False]
    assert markup.render(block).count("<span") > 0


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
