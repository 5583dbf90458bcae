from __future__ import annotations

import pytest

from messaging import markup
from tests.messaging.markup_reading import read


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
