"""What Earshot's Markdown has beyond Markdown: spoilers, large emoji, and links that say where they go."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

JUMBO, SPOILER, LINK_HOST = "jumbo", "spoiler", "link-host"
_JUMBO_MAX = 12
_BAR = "||"
# An emoji as UTS #51 makes one: a flag, a keycap, or pictures joined, each perhaps with a skin tone. Characters that
# are text by default (a heart, an arrow) count once a variation selector makes them pictures.
_PICTURE = (
    "(?:[\U0001f000-\U0001f1e5\U0001f200-\U0001faff\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615"
    "\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa"
    "\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]"
    "\ufe0f?|[\u00a9\u00ae\u203c-\u3299]\ufe0f)[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
)
_JOINED = f"{_PICTURE}(?:\u200d(?:{_PICTURE}|[\u2640\u2642\u2695\u2696\u2708\u2764]))*"
_EMOJI = f"(?:[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_JOINED})"
_EMOJI_ONLY = re.compile(rf"\s*(?:{_EMOJI}\s*){{1,{_JUMBO_MAX}}}")


def add_to(markdown: MarkdownIt) -> None:
    """Teach a Markdown parser these rules."""
    markdown.inline.add_terminator_char("|")
    markdown.inline.ruler.before("emphasis", "spoiler", _spoiler)
    markdown.core.ruler.push("jumbo", _enlarge_emoji)
    markdown.core.ruler.push("link_host", _name_hosts)


def _spoiler(state: StateInline, silent: bool) -> bool:
    """`||text||` is covered until somebody wants to see it; bars with spaces inside them are bars."""
    start = state.pos + len(_BAR)
    if not state.src.startswith(_BAR, state.pos):
        return False
    end = state.src.find(_BAR, start, state.posMax)
    inside = state.src[start : max(end, start)]
    if not inside or inside != inside.strip():
        return False
    if not silent:
        outer_end, state.pos, state.posMax = state.posMax, start, end
        state.push("spoiler_open", "span", 1).attrSet("class", SPOILER)
        state.md.inline.tokenize(state)
        state.push("spoiler_close", "span", -1)
        state.posMax = outer_end
    state.pos = end + len(_BAR)
    return True


def _enlarge_emoji(state: StateCore) -> None:
    """A message of a few emoji and nothing else shows them large."""
    is_one_paragraph = [token.type for token in state.tokens] == ["paragraph_open", "inline", "paragraph_close"]
    if is_one_paragraph and _EMOJI_ONLY.fullmatch(state.tokens[1].content):
        state.tokens[0].attrSet("class", JUMBO)


def _name_hosts(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = _with_hosts(token.children)


def _with_hosts(tokens: list[Token]) -> list[Token]:
    """Put the host behind the text of each link whose text does not say it."""
    found: list[Token] = []
    href, said = "", ""
    for token in tokens:
        if token.type == "link_open":
            href, said = str(token.attrGet("href") or ""), ""
        elif token.type == "link_close" and (host := _unsaid_host(href, said)):
            found += [
                Token("host_open", "span", 1, attrs={"class": LINK_HOST}),
                Token("text", "", 0, content=f" ({host})"),
                Token("host_close", "span", -1),
            ]
        else:
            said += token.content
        found.append(token)
    return found


def _unsaid_host(href: str, said: str) -> str:
    """Return where a link goes, unless its text is that address or host already."""
    parts = urlsplit(href)
    if not parts.scheme:
        return ""  # a room of ours
    host = parts.hostname or parts.path
    return "" if _bare(said) in {_bare(href), _bare(host)} or _is_shown_by_linkify(href, said) else host


def _bare(address: str) -> str:
    return re.sub(r"^(?:https?://|mailto:)?(?:www\.)?", "", address.strip().lower()).rstrip("/")


def _is_shown_by_linkify(href: str, said: str) -> bool:
    """Whether the text is the address, as one types it: not encoded, or in letters that are not ASCII."""
    try:
        typed = urlsplit(said if "//" in said else f"//{said}").hostname or ""
        return typed.encode("idna").decode() == urlsplit(href).hostname and " " not in said
    except (UnicodeError, ValueError):
        return False
