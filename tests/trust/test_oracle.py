"""What one may not know of can't be told from what never was (R1): not by a byte, nor by the number of questions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import undone
from tests.trust.matrix import HTML, Action, Cell, actions, cells
from tests.trust.watching import all_bytes
from tests.trust.world import World

pytestmark = pytest.mark.django_db
NEVER = "never-existed-000000"
OTHER = {"slug": NEVER, "source": NEVER, "key": "0" * 32}
UNKNOWN = {
    "public": {"guest"},
    "private": {"outsider", "former", "banned", "superuser", "invited"},
    "deleted": {"former", "owner", "superuser"},
}
ACTIONS = [action for action in actions() if action.is_of_a_room and "door" not in action.options]
_EXPIRES = re.compile(rb"expires=[^;]+")
_TOKEN = re.compile(rb'(csrfmiddlewaretoken" value|csrf-token" content)="\w{64}"')


def told(world: World, cell: Cell, **other: str) -> tuple[int, bytes, int]:
    """Return all that one can see of an answer, but for what differs by nature: CSRF tokens, and the second it is."""
    with undone(), CaptureQueriesContext(connection) as queries:
        response: Any = world.ask_for(cell, world.places[cell.kind], **other)
    said = _EXPIRES.sub(b"", _TOKEN.sub(rb"\1", all_bytes(response)))
    return response.status_code, said, len(queries)


def differences(one: tuple[int, bytes, int], other: tuple[int, bytes, int]) -> list[object]:
    """Return what is in only one of two answers, line by line."""
    lines = set(one[1].splitlines()) ^ set(other[1].splitlines())
    return [*sorted(lines), *({one[0], one[2]} ^ {other[0], other[2]} if one != other else ())]


def never(action: Action) -> dict[str, str]:
    """Return what to ask for instead: another room, or for a message elsewhere another room to take it to."""
    return {name: OTHER[name] for name in (("slug",) if action.options.get("of") == "home" else OTHER)}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_what_one_may_not_know_of_is_as_if_it_never_was(world: World, action: Action) -> None:
    for cell in cells():
        if cell.action.name == action.name and cell.role in UNKNOWN.get(cell.kind, ()):
            assert differences(told(world, cell), told(world, cell, **never(action))) == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_signed_out_people_can_tell_no_room_from_another(world: World, action: Action) -> None:
    for cell in cells():
        if cell.action.name == action.name and cell.role == "anonymous":
            status, said, queries = told(world, cell)
            place = world.places[cell.kind]
            for mine, other in ((place.room.slug, NEVER), (place.file.key, OTHER["key"])):
                said = said.replace(mine.encode(), other.encode())
            assert (status, said, queries) == told(world, cell, **never(action))


def test_two_answers_that_differ_are_told_apart(world: World) -> None:
    (mine,) = [
        each
        for each in cells()
        if (each.action.name, each.role, each.kind, each.accept) == ("open the room", "member", "private", HTML)
    ]
    assert differences(told(world, mine), told(world, mine, **OTHER)) != []
