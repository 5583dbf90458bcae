"""tests/authorization.yaml, read: who may do what, and what everybody else is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parents[1] / "authorization.yaml").read_text())
KINDS: list[str] = TABLE["kinds"]
ROLES: list[str] = list(TABLE["roles"])
GROUPS: dict[str, list[str]] = TABLE["groups"]
OF_SOME_KINDS: dict[str, list[str]] = TABLE["roles of some kinds"]

HTML, JSON, STREAM = "text/html", "application/json", "text/event-stream"
SIGNED_OUT = {"anonymous", "closed"}
STRANGERS = SIGNED_OUT | {"guest"}  # who learn of no room at all
INSIDE = set(GROUPS["inside"])
MODERATORS = set(GROUPS["moderators"])
ADMIN = set(GROUPS["in the admin"])
LISTED = {"name", "topic"}
READABLE = {"name", "topic", "text", "person", "file", "bytes"}


@dataclass(frozen=True)
class Action:
    row: int
    name: str
    method: str
    route: str
    query: str
    allowed: Mapping[str, set[str]]  # by kind; under "" for an action of no room's
    answers: Mapping[str, int]
    json: int | None
    exceptions: Mapping[tuple[str, str], int]
    options: Mapping[str, Any] = field(repr=False)

    @property
    def is_of_a_room(self) -> bool:
        return "" not in self.allowed

    @property
    def is_in_the_admin(self) -> bool:
        return self.options.get("door") == "admin"

    @property
    def may_change(self) -> bool:
        return self.method == "POST"


@dataclass(frozen=True)
class Cell:
    action: Action
    role: str
    kind: str
    accept: str

    def __str__(self) -> str:
        accept = {HTML: "", JSON: ", as JSON", STREAM: ""}[self.accept]
        where = f" ({self.kind})" if self.kind else ""
        return f"{self.action.name}{where}: {self.role}{accept}"

    @property
    def is_allowed(self) -> bool:
        return self.role in self.action.allowed[self.kind]

    @property
    def expected(self) -> int:
        action = self.action
        if self.is_allowed:
            return action.json if action.json and self.accept == JSON else action.answers[self.kind]
        return action.exceptions.get((self.kind, self.role)) or self._refusal()

    def _refusal(self) -> int:
        action = self.action
        if action.is_in_the_admin:
            return 403 if self.role in ADMIN else 302
        if self.role in SIGNED_OUT and action.options.get("door") != "link":
            return 302 if self.accept == HTML else 401
        if "otherwise" in action.options:
            return int(action.options["otherwise"])
        return 404 if self._is_unknown else 403

    @property
    def _is_unknown(self) -> bool:
        """Whether the room is one of which who asks may not know."""
        return self.kind == "deleted" or self.role == "guest" or (self.kind == "private" and self.role not in INSIDE)

    def may_know(self, kind: str) -> set[str]:
        """Return which canaries of a room of that kind the answer may hold."""
        told = set(self.action.options.get("tells", ())) if self.is_allowed else set()
        known = {"person", "email"} if "people" in told else set()
        if "name" in told and kind == self.kind:
            known |= {"name"}
        if self.role in STRANGERS:
            return known
        if kind == "deleted":
            return known | ({"name"} if "deleted" in told else set()) | ({"reason"} if "log" in told else set())
        if self.role == "banned" and kind != "private":
            known |= LISTED
        elif kind != "private" or self.role in INSIDE:
            known |= READABLE
        if self.role in MODERATORS:
            known |= {"reason"}
        if self.action.is_in_the_admin and self.role in ADMIN:
            known |= {"name", "topic", "person", "reason"}
        return known


def actions() -> list[Action]:
    return [_action(dict(line)) for line in TABLE["actions"]]


def cells() -> Iterator[Cell]:
    for action in actions():
        for kind in action.allowed:
            for role in ROLES:
                if kind in _kinds_of(action, role, kind):
                    for accept in _accepts(action, kind, role):
                        yield Cell(action, role, kind, accept)


def _kinds_of(action: Action, role: str, kind: str) -> list[str]:
    """Return the kinds of rooms in which a role has cells: who is not staff is sent away at the admin's door."""
    if action.is_in_the_admin and role not in ADMIN:
        return [] if role in OF_SOME_KINDS else ["", "private"]
    return OF_SOME_KINDS.get(role, [kind])


def _accepts(action: Action, kind: str, role: str) -> tuple[str, ...]:
    if action.options.get("accepts") == "stream":
        return (STREAM,)
    # What differs is how a refusal is said: the kinds that refuse in one way each are enough.
    is_said_once = "door" in action.options or kind in {"archived", "deleted"} or role in OF_SOME_KINDS
    return (HTML,) if is_said_once else (HTML, JSON)


def _action(line: dict[str, Any]) -> Action:
    method, _, target = line.pop("request").partition(" ")
    route, _, query = target.partition("?")
    kinds = [""] if line.pop("scope", "room") == "site" else KINDS
    answer = line.pop("answer")
    return Action(
        row=line.pop("row"),
        name=line.pop("name"),
        method=method,
        route=route,
        query=query,
        allowed=_allowed(line.pop("allowed"), kinds),
        answers=answer if isinstance(answer, dict) else dict.fromkeys(kinds, answer),
        json=line.pop("json", None),
        exceptions=_exceptions(line.pop("but", {})),
        options=line,
    )


def _allowed(said: Any, kinds: list[str]) -> dict[str, set[str]]:
    by_kind = said if isinstance(said, dict) else dict.fromkeys(kinds, said)
    return {kind: _roles(by_kind.get(kind, "nobody")) for kind in kinds}


def _roles(named: str | list[str]) -> set[str]:
    return set(GROUPS[named]) if isinstance(named, str) else set(named)


def _exceptions(said: dict[str, dict[str, int]]) -> dict[tuple[str, str], int]:
    return {
        (kind, role): status
        for kind, answers in said.items()
        for named, status in answers.items()
        for role in GROUPS.get(named, [named])
    }
