"""What may stand in the sources only where somebody looked at it, and what nowhere at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PYTHON = ("accounts", "rooms", "invites", "messaging", "project")


@dataclass(frozen=True)
class Rule:
    name: str
    why: str
    files: str  # the folder and the ending
    finds: Callable[[str], list[int]]  # the lines that break it
    allowed: frozenset[str] = frozenset()

    def covers(self, path: str) -> bool:
        folder, ending = self.files.split("*")
        return path.endswith(ending) and (
            path.startswith(folder) if folder else path.split("/", maxsplit=1)[0] in PYTHON
        )


def pattern(text: str, flags: int = 0) -> Callable[[str], list[int]]:
    compiled = re.compile(text, flags)
    return lambda source: [source.count("\n", 0, found.start()) + 1 for found in compiled.finditer(source)]


def spread_requests(source: str) -> list[int]:
    """Find what a request says used as keyword arguments: `filter(**request.GET)` lets it ask for any column."""
    request = re.compile(r"\b(GET|POST|FILES|COOKIES|headers|META|body)\b")
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg is None and request.search(ast.unparse(keyword.value))
    ]


def sql_of_strings(source: str) -> list[int]:
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and (call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func))
        in {"execute", "executemany", "SQL", "RawSQL", "raw"}
        and call.args
        and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
    ]


def _word(word: str, why: str, *allowed: str) -> Rule:
    return Rule(word, why, "*.py", pattern(re.escape(word)), frozenset(allowed))


RULES = (
    _word("mark_safe", "text becomes markup", "messaging/templatetags/messages_markup.py"),
    _word(
        "StreamingHttpResponse",
        "holds a thread and a database connection while it is open",
        "project/realtime/handoff.py",
    ),
    _word("cache_page", "shows one person's page to another"),
    _word("csrf_exempt", "lets other sites act for whoever visits them"),
    _word("xframe_options_exempt", "lets other sites frame the page"),
    _word("pickle", "runs what it reads"),
    _word("eval(", "runs what it reads"),
    _word("post_save", "hides what an action does"),
    Rule("a request as keyword arguments", "lets it name any column", "*.py", spread_requests),
    Rule("SQL made of strings", "lets text become SQL", "*.py", sql_of_strings),
    Rule(
        "|safe",
        "text becomes markup",
        "templates/*.html",
        pattern(r"\|\s*safe\b"),
        # The help that Django and allauth give with a field has markup of its own; nothing in it comes from people.
        frozenset({"templates/_field_notes.html"}),
    ),
    Rule("autoescape", "text becomes markup", "templates/*.html", pattern(r"\{%\s*autoescape")),
    Rule("inline script", "the policy forbids it", "templates/*.html", pattern(r"<script(?![^>]*\bsrc=)", re.I)),
    Rule("inline style", "the policy forbids it", "templates/*.html", pattern(r"<style\b|\sstyle=", re.I)),
    Rule("inline handler", "the policy forbids it", "templates/*.html", pattern(r"\son[a-z]+\s*=", re.I)),
    Rule("javascript:", "the policy forbids it", "templates/*.html", pattern(r"javascript:", re.I)),
    Rule(
        "another site's file",
        "the policy forbids it",
        "templates/*.html",
        pattern(r"(src|href)=[\"']?(https?:)?//", re.I),
    ),
    Rule(
        "markup from a script",
        "text becomes markup",
        "project/static/js/*.js",
        pattern(
            r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTMLUnsafe|createContextualFragment)\b"
            r"|\beval\(|\bnew Function\("
        ),
        frozenset({"project/static/js/lib/html.js"}),
    ),
)


def offences(path: str, source: str) -> Iterator[str]:
    """Yield what is wrong with one file, a sentence for each line."""
    for rule in RULES:
        if rule.covers(path) and path not in rule.allowed:
            for line in rule.finds(source):
                yield f"{path}:{line}: {rule.name} ({rule.why})"


def sources() -> Iterator[tuple[str, str]]:
    for folder in (*PYTHON, "templates"):
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".js"} and "migrations" not in path.parts:
                yield path.relative_to(TOP).as_posix(), path.read_text()


def found() -> list[str]:
    return [offence for path, source in sources() for offence in offences(path, source)]
