"""Bad input, made for every form, address and parameter that there is: never a fault, never said back as markup.

Which test shows which row of the specification:

    BI-01..03, 17, 18, 47       tests/messaging/test_views.py, tests/rooms/test_views.py
    BI-04                       tests/messaging/test_reactions.py
    BI-05                       tests/trust/test_patience.py, tests/project/test_request_limits.py
    BI-08, E17, E22             tests/project/test_request_limits.py, tests/trust/test_patience.py
    BI-06                       tests/messaging/test_views.py (malformed bodies), tests/trust/test_costs.py
    BI-07                       no address reads JSON: a body of it is an empty form (tests/messaging/test_views.py)
    BI-09..12                   tests/messaging/test_markup.py, tests/messaging/test_mentions.py
    BI-11, 12, 14 in a browser  tests/browser/test_canaries.py
    BI-15, 20..22, 39, 40, 45   here, for all addresses and fields
    BI-23..27                   tests/project/test_cleaning.py, tests/accounts/test_names.py, tests/browser
    BI-28..32c                  tests/files
    BI-41                       tests/messaging/test_stream.py, and here with Hypothesis
    BI-43                       tests/messaging/test_history.py
    BI-46                       tests/messaging/test_limits.py
    BI-48                       tests/rooms/test_admin_access.py, tests/messaging/test_admin.py
    BI-50, 52, 54, 58, 63, 64   tests/accounts, tests/rooms/test_setup.py
    BI-51                       tests/trust/test_timing.py, by the processor's clock: the wall's needs a quiet machine
    BI-53                       tests/invites (20 a day: test_pages.py)
    BI-55, 60, 61, 62           tests/project/test_errors.py, tests/trust/test_server.py
    BI-56                       tests/trust/test_matrix.py (every answer), tests/trust/test_server.py
    BI-59                       tests/trust/test_server.py
    BI-33..37                   nothing fetches an address and there are no webhooks
    BI-49                       waits for a search
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode
from zlib import crc32

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from messaging import stream
from tests.bad_input import HOSTILE_FIELDS, METHODS
from tests.cast import undone
from tests.trust.hostile import FORMS, PARAMETERS, VALUES, Form, bad_paths, forms
from tests.trust.matrix import HTML, JSON, Cell
from tests.trust.routes import routes
from tests.trust.watching import all_bytes, everything, everything_of, watched
from tests.trust.world import World, path_of

Record = Callable[[str, object], None]
pytestmark = pytest.mark.django_db
MAX_QUERY = 16_000  # as much of a head as the server takes
FORM_TYPE = "application/x-www-form-urlencoded"
ACCEPTS = [{"Accept": HTML}, {"Accept": JSON}]
PLAIN = {name: route for name, route in routes().items() if not route.parameters}
BY_ROUTE: dict[str, dict[str, str]] = {}
for _name, _path in bad_paths().items():
    BY_ROUTE.setdefault(_name.split()[0], {})[_name] = _path
SHARE = 1 if os.environ.get("EARSHOT_TRUST_INPUTS") == "all" else 3


def assert_harmless(response: Any, name: str) -> None:
    assert response.status_code < 500 or is_health(response), name
    assert response.status_code not in {205, 206, 304}, name
    said = all_bytes(response)
    if response.headers.get("Content-Type", "").startswith("text/html"):  # a browser reads nothing else as markup
        assert b"<script>window.__x" not in said, name
    assert "x" not in response.cookies, name
    assert b"Traceback" not in said, name


def is_health(response: Any) -> bool:
    """Whether it says that this process, which is no server, does not do a server's work."""
    return response.request["PATH_INFO"] in {"/healthz", "/readyz"} and response.status_code == 503


def dealt(values: dict[str, str], to: str) -> dict[str, str]:
    """Return a third of the values, for each name another: minutes are few. `make trust` tries them all."""
    return dict(list(values.items())[crc32(to.encode()) % SHARE :: SHARE])


def sent(fields: dict[str, str]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def target(world: World, form: Form) -> tuple[Client, str, dict[str, str]]:
    """Return who may post a form, where, and what would be right in it."""
    if form.action is None:
        client = world.client("anonymous" if "login" in form.name or "sign" in form.name else "member")
        return client, path_of(form.name, {}), dict(FORMS[form.name])
    role = "superuser" if "door" in form.action.options else "owner"
    kind = "public" if form.action.is_of_a_room else ""
    cell = Cell(form.action, role, kind, HTML)
    values = world.values_of(cell)
    fields = {name: value.format_map(values) for name, value in form.action.options.get("sends", {}).items()}
    return world.client(role), path_of(form.action.route, values), fields


@pytest.mark.parametrize("form", list(forms()), ids=lambda form: form.name)
def test_no_field_does_harm(world: World, form: Form, record_property: Record) -> None:
    client, path, fields = target(world, form)
    inputs = [(field, *each) for field in form.fields for each in dealt(VALUES, form.name + field).items()]
    record_property("inputs", len(inputs))
    for field, name, value in inputs:
        with undone():
            response = client.generic("POST", path, sent({**fields, field: value}), FORM_TYPE, headers={"Accept": HTML})
            assert_harmless(response, f"{field}: {name}")


@pytest.mark.parametrize("form", list(forms()), ids=lambda form: form.name)
def test_fields_that_nobody_asked_for_do_nothing(world: World, form: Form) -> None:
    """Above all they give no rights: who is staff, and who has which role, is as without them."""
    client, path, fields = target(world, form)
    outcomes = []
    for extra in ({}, {name: value for name, value in HOSTILE_FIELDS.items() if name not in fields}):
        with undone():
            response = client.post(path, urlencode({**fields, **extra}), FORM_TYPE)
            outcomes.append((response.status_code, rights_of(everything_of(User))))
    assert outcomes[0] == outcomes[1]


def rights_of(rows: list[Any]) -> list[tuple[Any, ...]]:
    return [tuple(value for value in row if isinstance(value, bool)) for row in rows]


@pytest.mark.parametrize("name", list(BY_ROUTE))
def test_no_address_does_harm(world: World, name: str, record_property: Record) -> None:
    methods = ("GET",) if name.startswith("admin:") else ("GET", "POST")
    paths = dealt(BY_ROUTE[name], name)
    record_property("inputs", len(methods) * len(paths))
    for what, path in paths.items():
        for method in methods:
            with undone(), watched() as seen:
                response = world.client("superuser").generic(method, path)
            assert_harmless(response, what)
            assert (seen.told, seen.mailed, seen.filed) == (0, 0, 0), what


@pytest.mark.parametrize("name", list(PLAIN))
def test_no_parameter_does_harm(world: World, name: str, record_property: Record) -> None:
    """All that an address might know at once; and where there are lists that can be asked much, each by itself."""
    path = path_of(name, {})
    every = (*PARAMETERS, *HOSTILE_FIELDS)
    queries = {what: "&".join(f"{quote(each)}={value}" for each in every) for what, value in VALUES.items()}
    if name.endswith(("_changelist", "autocomplete", "directory")):
        for what in ("markup", "400 digits"):
            queries |= {f"{each}: {what}": f"{quote(each)}={VALUES[what]}" for each in every}
    queries = dealt(queries, name)
    record_property("inputs", 2 * len(queries))
    for what, query in queries.items():
        if len(query) < MAX_QUERY:
            for role in ("anonymous", "superuser"):
                with undone():
                    response = world.client(role).get(f"{path}?{query}")
                assert_harmless(response, what)


@pytest.mark.parametrize("name", list(routes()))
def test_only_a_post_changes_anything(world: World, name: str) -> None:
    """Every address, in every other method, with what would be right in a form; and with words that claim a method."""
    values = {
        **world.values_of(None),
        "id": "1",
        "pk": "1",
        "app_label": "rooms",
        "token": "x",
        "uidb36": "1",
        "version": "x",
        "language": "en",
    }
    path = path_of(name, values | {"username": "member", "content_type_id": "1", "provider_id": "x", "report_id": "1"})
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE"}
    for method in sorted(set(METHODS) - {"POST"}):
        with undone(), watched() as seen:
            client = world.client("superuser" if name.startswith("admin:") else "owner")
            response = client.generic(method, f"{path}?_method=POST&post=yes", headers=override)
            assert response.status_code < 500 or is_health(response), (method, response.status_code)
            assert (seen.told, seen.mailed, seen.filed) == (0, 0, 0), method
            if seen.written:
                noted = {"sessions.Session", "accounts.Device"}  # when somebody was here last
                ours = {table: rows for table, rows in everything().items() if table not in noted}
                assert ours == {table: world.rows[table] for table in ours}, method


cursors = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[0-9]{1,25}", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,3}){0,2}(,[0-9]{1,3}\.[0-9]{1,3}){0,3}", fullmatch=True),
)


@given(text=cursors, head=st.integers(0, 2**63 - 1))
def test_cursor_is_a_position_of_the_log_or_none(text: str, head: int) -> None:
    position = stream._position(text, head)
    if position is None:
        assert not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= head)
    else:
        assert 0 <= position <= head
        assert text.isascii()
        assert position == int(text)


@given(text=cursors)
def test_compound_cursor_is_read_whole_or_not_at_all(text: str) -> None:
    if stream._COMPOUND.fullmatch(text):
        parts = [part.split(".") for part in text.split(",")]
        assert all(len(part) == 2 and all(each.isascii() and each.isdigit() for each in part) for part in parts)
