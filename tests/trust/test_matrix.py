"""Every cell of tests/authorization.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.cast import undone
from tests.trust.matrix import HTML, KINDS, Action, Cell, actions, cells
from tests.trust.watching import Seen, all_bytes, everything, watched
from tests.trust.world import World

pytestmark = pytest.mark.django_db
CELLS = list(cells())
CHANGING = [action for action in actions() if action.may_change and not action.options.get("idle")]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(world: World, cell: Cell) -> None:
    with undone(), world.prepared(cell) as rows:
        with watched() as seen:
            response = world.ask(cell)
        assert response.status_code == cell.expected
        if not (cell.is_allowed and cell.action.may_change):
            assert_nothing_happened(rows, seen)
    assert_well_answered(cell, response)
    said = all_bytes(response)
    for kind in KINDS:
        known = cell.may_know(kind)
        assert [
            what for what, canary in world.places[kind].canaries.items() if what not in known and canary in said
        ] == []
        if cell.is_allowed and response.status_code == 200 and kind in (cell.kind or kind):
            shown = known.intersection(cell.action.options.get("shows", ()))
            assert [what for what in shown if world.places[kind].canaries[what] not in said] == []


def assert_nothing_happened(rows: Mapping[str, list[Any]], seen: Seen) -> None:
    assert (seen.told, seen.mailed, seen.filed) == (0, 0, 0)
    if seen.written:  # and taken back, as a refusal under the lock is
        assert everything() == rows


def assert_well_answered(cell: Cell, response: Any) -> None:
    """A refusal is a page or JSON, as asked, sends nobody to another site, and no cache keeps any of it."""
    status = response.status_code
    assert status < 500
    assert "no-store" in response["Cache-Control"] or (cell.action.route == "accounts:avatar" and status == 200)
    if cell.is_allowed:
        return
    if cell.accept != HTML and status != 302 and cell.action.method != "HEAD":
        assert (response["Content-Type"], set(response.json())) == ("application/json", {"errors"})
    if status == 302:
        assert response["Location"].startswith(
            ("/accounts/login/?next=/", "/accounts/login/?next=%2F", "/admin/login/?next=/", "/admin/", "/rooms/")
        )


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.name)
def test_what_is_refused_could_have_happened(world: World, action: Action) -> None:
    """Where an action is allowed it writes, or wakes somebody up: so its refusals refuse something."""
    allowed = [Cell(action, min(roles), kind, HTML) for kind, roles in action.allowed.items() if roles]
    happened = []
    for cell in allowed:
        with undone(), world.prepared(cell), watched() as seen:
            world.ask(cell)
        happened.append(seen.anything)
    assert any(happened) or not allowed


def test_canaries_are_there_to_be_leaked(world: World) -> None:
    (page,) = [
        each
        for each in CELLS
        if (each.action.name, each.role, each.kind, each.accept) == ("open the room", "member", "private", HTML)
    ]
    said = all_bytes(world.ask(page))
    assert [
        what
        for what in ("name", "topic", "text", "person", "file")
        if world.places["private"].canaries[what] not in said
    ] == []


def test_watch_sees_what_happens(world: World) -> None:
    (post,) = [
        each
        for each in CELLS
        if (each.action.name, each.role, each.kind, each.accept) == ("post", "member", "private", HTML)
    ]
    with undone(), watched() as seen:
        world.ask(post)
        assert everything() != world.rows
    assert seen.written
    assert seen.told
