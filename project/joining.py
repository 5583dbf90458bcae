"""Scripts and style sheets put together, so that a page waits for few files where it is written in many."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from posixpath import dirname, join, normpath, relpath
from re import MULTILINE, Match
from re import compile as pattern

STYLES = "css/app.css"  # into which all the others are put
_SHEET = pattern(r'@import url\("(?P<name>[\w-]+\.css)"\) layer\((?P<layer>\w+)\);\n')
_IMPORT = pattern(r'^import (?:\{(?P<names>[^}]*)\} from )?"(?P<path>\.[^"]+)";\n', MULTILINE)
_EXPORT = pattern(r"^export (?P<what>(?:async )?(?:function|class|const) (?P<name>\w+))", MULTILINE)
_NOT_KNOWN = pattern(r"^(?:import|export)\b.*", MULTILINE)


def joined_styles(texts: dict[str, str]) -> dict[str, str]:
    """Return the one style sheet of them, with those that it imports in their places."""
    text = texts[STYLES]
    imports = list(_SHEET.finditer(text))
    if not imports:
        return {STYLES: text}
    layers = (
        f"@layer {layer} {{\n{''.join(texts[join(dirname(STYLES), each['name'])] for each in group)}}}\n"
        for layer, group in groupby(imports, key=lambda each: each["layer"])
    )
    return {STYLES: text[: imports[0].start()] + "".join(layers) + text[imports[-1].end() :]}


def joined_scripts(texts: dict[str, str]) -> dict[str, str]:
    """Return the scripts that no other imports, which pages name, each with the modules that only it needs.

    What two of them need stays a file of its own, for a module must not be there twice. Raises ValueError for modules
    that import each other, and for imports and exports of other forms than ours.
    """
    imports = {name: [_resolved(name, each["path"]) for each in _IMPORT.finditer(texts[name])] for name in texts}
    entries = texts.keys() - {each for names in imports.values() for each in names}
    needed = {entry: _in_order(entry, imports) for entry in sorted(entries)}
    users = {name: [entry for entry in needed if name in needed[entry]] for name in texts}
    own = {name for name in texts if name in entries or len(users[name]) > 1}
    return {name: _Bundle(name, texts, imports, own).text() for name in sorted(own)}


def _in_order(entry: str, imports: dict[str, list[str]]) -> list[str]:
    """Return all that an entry needs and the entry, each after what it imports."""
    done: list[str] = []
    begun: set[str] = set()

    def add(name: str) -> None:
        if name in begun and name not in done:
            raise ValueError(f"{name} imports itself by way of others")
        if name not in begun:
            begun.add(name)
            for each in imports[name]:
                add(each)
            done.append(name)

    add(entry)
    return done


@dataclass
class _Bundle:
    """One script as it is served. Each module that is put into it keeps its names to itself in a function."""

    entry: str
    texts: dict[str, str]
    imports: dict[str, list[str]]
    own: set[str]
    handles: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        inside = [name for name in _in_order(self.entry, self._inside()) if name != self.entry]
        if not inside:
            return self.texts[self.entry]
        self.handles = {name: f"m{number}" for number, name in enumerate(_in_order(self.entry, self.imports))}
        outside = dict.fromkeys(
            each for name in [*inside, self.entry] for each in self.imports[name] if each in self.own
        )
        heads = (f'import * as {self.handles[name]} from "{self._path(name)}";\n' for name in outside)
        return "".join([*heads, *map(self._module, inside), self._body(self.entry)])

    def _inside(self) -> dict[str, list[str]]:
        return {name: [each for each in found if each not in self.own] for name, found in self.imports.items()}

    def _module(self, name: str) -> str:
        body = self._body(name)
        exported = ", ".join(each["name"] for each in _EXPORT.finditer(body))
        body = _EXPORT.sub(r"\g<what>", body)
        if other := _NOT_KNOWN.search(body):
            raise ValueError(f"{name}: {other[0]}")
        return f"const {self.handles[name]} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"

    def _body(self, name: str) -> str:
        def taken(match: Match[str]) -> str:
            return f"const {{{_renamed(match['names'])}}} = {handle(match)};\n" if match["names"] else ""

        def handle(match: Match[str]) -> str:
            return self.handles[_resolved(name, match["path"])]

        return _IMPORT.sub(taken, self.texts[name])

    def _path(self, name: str) -> str:
        path = relpath(name, dirname(self.entry))
        return path if path.startswith(".") else f"./{path}"


def _renamed(names: str) -> str:
    """`a as b` of an import is `a: b` in an assignment."""
    return names.replace(" as ", ": ")


def _resolved(name: str, path: str) -> str:
    return normpath(join(dirname(name), path))
