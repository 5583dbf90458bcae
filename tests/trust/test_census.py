"""Nothing that can be asked for, run or told is missing from tests/authorization.yaml, and nothing in it is made up."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib import admin

from project import realtime
from rooms.models import Event
from tests.trust.matrix import GROUPS, KINDS, OF_SOME_KINDS, ROLES, TABLE, actions, cells
from tests.trust.routes import routes

TOP = Path(__file__).resolve().parents[2]
ROWS_OF_THE_SPECIFICATION = 34
READ_BY_FORMER = 5  # is what the role `former` finds in all cells
EPHEMERAL = re.compile(r'\b(?:frame|ephemeral)\(\s*"([a-z_]+)"')


def test_every_route_has_its_cells() -> None:
    covered, elsewhere = {action.route for action in actions()}, set(TABLE["routes elsewhere"])
    assert covered | elsewhere == set(routes())
    assert covered & elsewhere == set()


def test_census_would_miss_no_route() -> None:
    found = routes()
    for name in (
        "messaging:room",
        "account_login",
        "admin:rooms_room_change",
        "account_reset_password_from_key",
        "home",
    ):
        assert name in found
    assert found["rooms:remove"].parameters == ("slug", "username")
    assert found["account_reset_password_from_key"].parameters == ("uidb36", "key")


def test_every_class_of_the_admin_has_its_cells() -> None:
    named = {f"{model._meta.app_label}.{model._meta.object_name}": model for model in admin.site._registry}
    assert set(named) == set(TABLE["admin"])
    covered = {action.route for action in actions()}
    for model in named.values():
        for page in ("changelist", "add", "change", "history", "delete"):
            assert f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}" in covered


def test_every_event_is_known() -> None:
    assert set(TABLE["events"]) == set(Event.Kind.values)


def test_every_ephemeral_event_is_known() -> None:
    files = [*Path(realtime.__path__[0]).glob("*.py"), *(TOP / "rooms").glob("*.py"), *(TOP / "messaging").glob("*.py")]
    named = {name for file in files for name in EPHEMERAL.findall(file.read_text())}
    assert named == set(TABLE["ephemeral events"])


def test_every_row_of_the_specification_has_its_place() -> None:
    built, waiting = {action.row for action in actions()}, set(TABLE["waiting"])
    elsewhere = {row for row in TABLE["elsewhere"] if isinstance(row, int)}
    assert built | waiting | elsewhere | {READ_BY_FORMER} == set(range(1, ROWS_OF_THE_SPECIFICATION + 1))
    assert built & waiting == set()


def test_table_speaks_of_what_there_is() -> None:
    assert {role for group in GROUPS.values() for role in group} == set(ROLES)
    assert set(OF_SOME_KINDS) <= set(ROLES)
    assert {kind for kinds in OF_SOME_KINDS.values() for kind in kinds} <= set(KINDS)
    for action in actions():
        assert set(action.allowed) <= {*KINDS, ""}
        assert {role for roles in action.allowed.values() for role in roles} <= set(ROLES)
        assert {kind for kind, _role in action.exceptions} <= set(KINDS)
    names = [str(cell) for cell in cells()]
    assert len(set(names)) == len(names)


def test_every_rule_is_shown_somewhere() -> None:
    assert set(TABLE["rules"]) | set(TABLE["waiting rules"]) == {f"AZ-R{number}" for number in range(1, 7)}
    for where in (*TABLE["rules"].values(), *TABLE["elsewhere"].values()):
        assert (TOP / where).exists()
