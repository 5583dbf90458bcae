"""Markdown to safe HTML: markdown-it makes it, nh3 is a second wall behind it."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from html import escape, unescape
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from messaging import markup_rules

# Raised when the same text would come out differently; `html_version` of a message names the one that made it.
VERSION = 3

_TAGS = {"p", "a", "em", "strong", "s", "del", "code", "pre", "blockquote", "ul", "ol", "li", "br", "hr", "span"}
_TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
_LINK_REL = "nofollow noopener noreferrer ugc"
_LINK_SCHEMES = {"http", "https", "mailto"}
_SEEN = re.compile(r">\s*[^<\s]|<hr")
_OWN_CLASSES = {markup_rules.JUMBO, markup_rules.SPOILER, markup_rules.LINK_HOST, "mention", "room-name"}
_CODE_CLASS = re.compile(r"[a-z]{1,3}\d?|language-[\w+#.-]{1,30}")
# Pygments' expressions take time that grows with the square of what they read, and some of them for ever: coloured are
# only languages whose worst was measured, and so many characters of a message, so that no post can hold the process.
_LANGUAGES = frozenset(
    (
        *("bash", "c", "clojure", "console", "cpp", "css", "dart", "diff", "docker", "elixir"),
        *("erlang", "go", "graphql", "haskell", "html", "ini", "java", "javascript", "json", "jsx"),
        *("julia", "kotlin", "lua", "nginx", "nixos", "objective-c", "ocaml", "perl", "php", "powershell"),
        *("protobuf", "pycon", "python", "ruby", "rust", "scala", "scss", "splus", "sql", "swift"),
        *("toml", "tsx", "typescript", "xml", "yaml", "zig"),
    )
)
_HIGHLIGHT_MAX = 2_000
_FORMATTER = HtmlFormatter(nowrap=True)
# linkify-it keeps the match it is at on the object itself.
_one_at_a_time = threading.Lock()


EVERYBODY = "room"  # a name that no person may have
# Not in the middle of a word or an address.
_BEFORE_A_NAME = frozenset(" \n\t([{<>'\"*_~,;|")
_NAME = {
    "@": re.compile(r"@([A-Za-z0-9](?:[A-Za-z0-9._-]{0,28}[A-Za-z0-9])?)"),
    "#": re.compile(r"#([a-z0-9_-]{1,60})"),
}
_CALLED = re.compile(r'<span class="mention" data-username="([^"]+)">')
EXCERPT_CHARACTERS = 120
_EXCERPT_SOURCE = 2_000  # characters of HTML, from which an excerpt is made
_TAG = re.compile(r"<[^>]*(?:>|$)")
_SPAN = re.compile(r"(<span[^>]*>|</span>)")
_SPOILER = f'<span class="{markup_rules.SPOILER}">'
_VEIL = "▒▒▒"


class Names(NamedTuple):
    """The names that a text may call: usernames, perhaps EVERYBODY among them, and public rooms' slugs."""

    people: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()


def render(text: str, names: Names = Names()) -> str:  # noqa: B008 (it can't be changed)
    """Return a message's Markdown as HTML that is safe to put into a page unescaped."""
    with _one_at_a_time:
        _highlight.left = _HIGHLIGHT_MAX
        html = _markdown.render(text, {"names": names})
    html = nh3.clean(
        html,
        tags=_TAGS,
        # Without "*", nh3 lets `title` and `lang` through.
        attributes={
            "*": set(),
            "a": {"href", "class"},
            "span": {"class", "data-username"},
            "p": {"class"},
            "code": {"class"},
            "ol": {"start"},
        },
        attribute_filter=_keep_attribute,
        url_schemes=_LINK_SCHEMES,
        link_rel=_LINK_REL,
    ).strip()
    # A definition of a link, or quotes nested too deeply, would leave nothing to be seen.
    return html if _SEEN.search(html) else f"<p>{escape(text)}</p>"


def called(html: str) -> set[str]:
    """Return the usernames, EVERYBODY among them, that a rendered message calls."""
    return set(_CALLED.findall(html))


def excerpt(html: str, length: int) -> str:
    """Return the beginning of a rendered message as one line of plain text; spoilers stay covered."""
    plain = " ".join(unescape(_TAG.sub(" ", _covered(html[:_EXCERPT_SOURCE]))).split())
    return plain if len(plain) <= length else f"{plain[: length - 1]}…"


def _covered(html: str) -> str:
    shown: list[str] = []
    depth = 0  # of spans in spoilers
    for piece in _SPAN.split(html):
        if depth and _SPAN.fullmatch(piece):
            depth += -1 if piece == "</span>" else 1
        elif piece == _SPOILER:
            depth = 1
            shown.append(_VEIL)
        elif not depth:
            shown.append(piece)
    return "".join(shown)


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return value if value in _OWN_CLASSES or _CODE_CLASS.fullmatch(value) else None
    return value


class _Highlighter:
    """Gives code Pygments' classes, as long as there are characters left for one message."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self, code: str, language: str, _attributes: str) -> str:
        """Return the code as HTML, or nothing, which leaves it to markdown-it to escape it."""
        if not language or len(code) > self.left:
            return ""
        try:
            lexer = get_lexer_by_name(language)
        except ClassNotFound:
            return ""
        if lexer.aliases[0] not in _LANGUAGES:
            return ""
        self.left -= len(code)
        return str(pygments_highlight(code, lexer, _FORMATTER))


def _link_is_plain(url: str) -> bool:
    """Whether a link goes where it seems to: one of our schemes, a host, and no `user@` that poses as a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme.lower() == "mailto":
        return True
    return parts.scheme.lower() in _LINK_SCHEMES and bool(parts.hostname) and "@" not in parts.netloc


def _name_rule(state: StateInline, silent: bool) -> bool:
    """Take `@ana` and `#general` where they are names of somebody or something that there is."""
    mark = state.src[state.pos]
    if mark not in _NAME or (state.pos and state.src[state.pos - 1] not in _BEFORE_A_NAME):
        return False
    found = _NAME[mark].match(state.src, state.pos, state.posMax)
    name = found[1].lower() if found else ""
    names: Names = state.env["names"]
    if not found or name not in (names.people if mark == "@" else names.rooms) or (mark == "#" and state.linkLevel):
        return False
    if not silent:
        token = state.push("mention" if mark == "@" else "room_name", "", 0)
        token.content, token.meta = found[0], {"name": name}
    state.pos = found.end()
    return True


def _render_mention(_renderer: Any, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    token = tokens[index]
    return f'<span class="mention" data-username="{escape(token.meta["name"])}">{escape(token.content)}</span>'


def _render_room_name(_renderer: Any, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    token = tokens[index]
    return f'<a class="room-name" href="/rooms/{escape(token.meta["name"])}/">{escape(token.content)}</a>'


_highlight = _Highlighter()


def _make_markdown() -> MarkdownIt:
    markdown = MarkdownIt(
        "js-default",
        {
            "html": False,
            "linkify": True,
            "breaks": True,
            "typographer": False,
            "maxNesting": 20,
            "highlight": _highlight,
        },
    )
    markdown.disable("image")
    markdown.inline.ruler.push("name", _name_rule)
    markdown.add_render_rule("mention", _render_mention)
    markdown.add_render_rule("room_name", _render_room_name)
    markdown.validateLink = _link_is_plain  # type: ignore[method-assign]  # the library asks for it to be replaced
    if markdown.linkify is not None:
        markdown.linkify.set({"fuzzy_link": True, "fuzzy_email": False})
    markup_rules.add_to(markdown)
    return markdown


_markdown = _make_markdown()
