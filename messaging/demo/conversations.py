"""The hand-written conversations in `texts/`, and how they are written down there.

`---` begins a conversation; behind it may stand when and how often it may be had (`TAGS`). A line begins with who
speaks: `a`, `b`, `c` or `d` is anybody in the room, a username that person. `b^1:` replies to the conversation's first
line. Indented lines go on with the text. `[[one|two]]` is either, `$place` a slot (`$place2` another value of it), `$a`
a username, `$A` a first name and `$home` where `a` lives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
ANYBODY = ("a", "b", "c", "d")
TAGS = frozenset({"morning", "lunch", "evening", "weekly", "friday", "weekend", "once", "often"})
_LINE = re.compile(r"(?P<role>[a-z]+)(?:\^(?P<reply>\d))?: (?P<text>.+)|(?P<empty>[a-z]+):")


@dataclass(frozen=True)
class Line:
    role: str
    text: str
    reply_to: int | None


@dataclass(frozen=True)
class Conversation:
    lines: tuple[Line, ...]
    tags: frozenset[str]

    @property
    def uses(self) -> int | None:
        """How often it can be had in one room before people would notice; None if they never would."""
        if "often" in self.tags:
            return None
        return 1 if "once" in self.tags else 6

    @property
    def roles(self) -> tuple[str, ...]:
        """Who speaks, in the order in which they first do."""
        return tuple(dict.fromkeys(line.role for line in self.lines))


@cache
def load(name: str) -> tuple[Conversation, ...]:
    """Return the conversations of one file; raises `ValueError` for a line that can't be understood."""
    text = (TEXTS / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"^---", text, flags=re.MULTILINE)[1:]
    return tuple(_conversation(block) for block in blocks)


def _conversation(block: str) -> Conversation:
    head, _, body = block.partition("\n")
    tags = frozenset(head.split())
    if tags - TAGS:
        raise ValueError(f"unknown tags: {head}")
    # A line that is neither indented nor empty begins the next message.
    return Conversation(tuple(_line(part) for part in re.split(r"\n(?=\S)", body.strip())), tags)


def _line(part: str) -> Line:
    first, *more = part.split("\n")
    found = _LINE.fullmatch(first)
    if found is None:
        raise ValueError(f"who says this? {first}")
    text = "\n".join([found["text"] or "", *(line.removeprefix("  ") for line in more)]).strip()
    return Line(found["role"] or found["empty"], text, int(found["reply"]) - 1 if found["reply"] else None)
