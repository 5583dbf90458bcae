"""Who may what: one table, every cell of it tried."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from rooms import access
from rooms.models import Membership
from tests.cast import CANARIES, CAST, Scene, make_scene, nothing_happens, undone, whole
from tests.conftest import client_of, join
from tests.factories import RoomFactory, UserFactory

KINDS = ("public", "private", "archived")
NEVER = "never-existed-000000"
SENT: dict[str, dict[str, str]] = {
    "rooms:settings": {"name": "Other", "topic": ""},
    "rooms:read": {"position": "1"},
    "rooms:unread": {"position": "1"},
    "rooms:invite": {"username": "newcomer"},
    "rooms:role": {"role": "moderator"},
    "rooms:kind": {"kind": "private"},
    "rooms:policy": {
        "who_posts": "moderator",
        "who_invites": "member",
        "who_calls_all": "owner",
        "slow_seconds": "30",
        "history": "joined",
    },
    "rooms:delete": {"delete-name": "Canary Name"},
    "rooms:ban": {"duration": "day"},
    "rooms:mute": {"duration": "day"},
    "rooms:words": {"words": "casino"},
    "rooms:guard": {"raid-hours": "24", "raid-lasts": "6"},
    "messaging:messages": {"text": "hello", "client_id": str(uuid.uuid4())},
    "messaging:edit": {"text": "changed"},
    "messaging:react": {"emoji": "%F0%9F%91%8D"},
    "messaging:forward": {"room": "", "client_id": str(uuid.uuid4())},
    "messaging:report": {"reason": "Shouting"},
    "messaging:decide": {"outcome": "deleted"},
    "messaging:delete_recent": {"recent": "hour"},
    "messaging:upload": {"a file of": "these bytes"},
}

# What the cast is answered: owner, moderator, member, outsider, former member, anonymous. 404 and 403 as R1 and R2
# have them; 302 is where a form leads, or for the last one the sign-in page.
ANSWERS: dict[tuple[str, str], tuple[str, str, str]] = {
    # the route                     in a public room           in a private room          in an archived room
    ("messaging:room", "GET"): ("200 200 200 200 200 302", "200 200 200 404 404 302", "200 200 200 200 200 302"),
    ("messaging:messages", "GET"): ("200 200 200 200 200 302", "200 200 200 404 404 302", "200 200 200 200 200 302"),
    ("messaging:messages", "POST"): ("302 302 302 403 403 302", "302 302 302 404 404 302", "403 403 403 403 403 302"),
    ("messaging:upload", "POST"): ("201 201 201 403 403 302", "201 201 201 404 404 302", "403 403 403 403 403 302"),
    ("messaging:stream", "GET"): ("200 200 200 403 403 302", "200 200 200 404 404 302", "200 200 200 403 403 302"),
    ("messaging:typing", "POST"): ("204 204 204 403 403 302", "204 204 204 404 404 302", "204 204 204 403 403 302"),
    # The message is somebody else's.
    ("messaging:edit", "GET"): ("403 403 403 403 403 302", "403 403 403 404 404 302", "403 403 403 403 403 302"),
    ("messaging:edit", "POST"): ("403 403 403 403 403 302", "403 403 403 404 404 302", "403 403 403 403 403 302"),
    ("messaging:delete", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "302 302 403 403 403 302"),
    ("messaging:react", "POST"): ("302 302 302 403 403 302", "302 302 302 404 404 302", "403 403 403 403 403 302"),
    # Without a room to take it to, which would be another cell.
    ("messaging:forward", "POST"): ("400 400 400 400 400 302", "400 400 400 404 404 302", "400 400 400 400 400 302"),
    ("messaging:report", "GET"): ("200 200 200 403 403 302", "200 200 200 404 404 302", "200 200 200 403 403 302"),
    ("messaging:report", "POST"): ("302 302 302 403 403 302", "302 302 302 404 404 302", "302 302 302 403 403 302"),
    ("messaging:reports", "GET"): ("200 200 403 403 403 302", "200 200 403 404 404 302", "200 200 403 403 403 302"),
    ("messaging:decide", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "302 302 403 403 403 302"),
    ("messaging:delete_recent", "GET"): (
        *("200 200 403 403 403 302", "200 200 403 404 404 302"),
        "200 200 403 403 403 302",
    ),
    ("messaging:delete_recent", "POST"): (
        *("302 302 403 403 403 302", "302 302 403 404 404 302"),
        "302 302 403 403 403 302",
    ),
    ("rooms:members", "GET"): ("200 200 200 200 200 302", "200 200 200 404 404 302", "200 200 200 200 200 302"),
    ("rooms:join", "POST"): ("302 302 302 302 302 302", "302 302 302 404 404 302", "302 302 302 400 400 302"),
    ("messaging:revisions", "GET"): ("200 200 200 200 200 302", "200 200 200 404 404 302", "200 200 200 200 200 302"),
    # The owner is the only one, and so may not leave.
    ("rooms:leave", "POST"): ("400 302 302 403 403 302", "400 302 302 404 404 302", "400 302 302 403 403 302"),
    ("rooms:read", "POST"): ("204 204 204 403 403 302", "204 204 204 404 404 302", "204 204 204 403 403 302"),
    ("rooms:unread", "POST"): ("204 204 204 403 403 302", "204 204 204 404 404 302", "204 204 204 403 403 302"),
    ("rooms:settings", "GET"): ("200 200 403 403 403 302", "200 200 403 404 404 302", "200 200 403 403 403 302"),
    ("rooms:settings", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "400 400 403 403 403 302"),
    ("rooms:kind", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "400 403 403 403 403 302"),
    ("rooms:policy", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "400 403 403 403 403 302"),
    ("rooms:delete", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "302 403 403 403 403 302"),
    ("rooms:archive", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "302 403 403 403 403 302"),
    ("rooms:restore", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "302 403 403 403 403 302"),
    ("rooms:invite", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "400 400 403 403 403 302"),
    ("rooms:remove", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "302 302 403 403 403 302"),
    ("rooms:ban", "GET"): ("200 200 403 403 403 302", "200 200 403 404 404 302", "200 200 403 403 403 302"),
    ("rooms:ban", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "302 302 403 403 403 302"),
    ("rooms:lift", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "302 302 403 403 403 302"),
    ("rooms:mute", "GET"): ("200 200 403 403 403 302", "200 200 403 404 404 302", "200 200 403 403 403 302"),
    ("rooms:mute", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "302 302 403 403 403 302"),
    ("rooms:unmute", "POST"): ("302 302 403 403 403 302", "302 302 403 404 404 302", "302 302 403 403 403 302"),
    ("rooms:guard", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "302 403 403 403 403 302"),
    ("rooms:unguard", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "302 403 403 403 403 302"),
    ("rooms:words", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "302 403 403 403 403 302"),
    ("rooms:audit", "GET"): ("200 403 403 403 403 302", "200 403 403 404 404 302", "200 403 403 403 403 302"),
    ("rooms:role", "POST"): ("302 403 403 403 403 302", "302 403 403 404 404 302", "302 403 403 403 403 302"),
}
# Routes that are no room's.
ROOMLESS = {"rooms:setup", "rooms:directory", "rooms:create", "messaging:combined_stream", "messaging:emoji"}
# Their bytes have a table of their own: tests/files/test_serving.py.
ROOMLESS |= {"messaging:file", "messaging:thumbnail"}
# One's own account: tests/messaging/test_leaving.py.
ROOMLESS |= {"messaging:export", "messaging:leave_site"}
# Whose they are and where they lead decides: tests/invites.
ROOMLESS |= {"invites:list", "invites:revoke", "invites:held", "invites:invite"}
JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}


def ask(scene: Scene, client: Client, route: tuple[str, str], headers: dict[str, str], slug: str = "") -> Any:
    """Make a request of the scene's room, or of another slug."""
    name, method = route
    path = path_of(name, slug or scene.room.slug, scene.message.pk, scene.report.pk)
    return client.generic(
        method,
        path,
        *(encoded(SENT.get(name, {})) if method == "POST" else ()),
        headers=headers,
    )


def encoded(fields: dict[str, str]) -> tuple[bytes, str]:
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode(), "application/x-www-form-urlencoded"


def path_of(name: str, slug: str, message_id: int, report_id: int = 1) -> str:
    end = {
        "messaging:room": "",
        "messaging:upload": "files/",
        "messaging:edit": f"messages/{message_id}/edit/",
        "messaging:delete": f"messages/{message_id}/delete/",
        "messaging:react": f"messages/{message_id}/reactions/",
        "messaging:forward": f"messages/{message_id}/forward/",
        "messaging:revisions": f"messages/{message_id}/revisions/",
        "messaging:report": f"messages/{message_id}/report/",
        "messaging:decide": f"reports/{report_id}/",
        "messaging:delete_recent": "members/bystander/messages/delete/",
        "rooms:invite": "members/add/",
        "rooms:remove": "members/bystander/remove/",
        "rooms:role": "members/bystander/role/",
        "rooms:ban": "members/bystander/ban/",
        "rooms:lift": "members/banned/lift/",
        "rooms:mute": "members/bystander/mute/",
        "rooms:unmute": "members/muted/unmute/",
    }.get(name, f"{name.partition(':')[2]}/")
    return f"/rooms/{slug}/{end}"


def expected(role: str, kind: str, route: tuple[str, str], headers: dict[str, str]) -> int:
    status = int(ANSWERS[route][KINDS.index(kind)].split()[CAST.index(role)])
    if role == "anonymous" and headers is JSON:
        return 401
    if headers is JSON and status == 302 and route[0] in {"messaging:messages", "messaging:report"}:
        return 201
    if headers is JSON and status == 302 and route[0] in {"messaging:delete", "messaging:react"}:
        return 200
    return status


def is_refused(role: str, status: int) -> bool:
    return role == "anonymous" or status >= 400


def may_read(role: str, kind: str) -> bool:
    return role != "anonymous" and (kind != "private" or role in {"owner", "moderator", "member"})


@pytest.mark.parametrize(
    ("kind", "headers"), [*((kind, HTML) for kind in KINDS), ("private", JSON)], ids=[*KINDS, "private, as JSON"]
)
@pytest.mark.parametrize("role", CAST)
def test_every_cell(db: None, role: str, kind: str, headers: dict[str, str]) -> None:
    scene = make_scene(kind)
    client = scene.client(role)
    answers: dict[tuple[str, str], int] = {}
    leaks: list[object] = []
    for route in ANSWERS:
        with undone():
            answers[route] = refused_or_done(scene, client, route, headers, role, kind, leaks)
    assert answers == {route: expected(role, kind, route, headers) for route in ANSWERS}
    assert leaks == []


def refused_or_done(
    scene: Scene,
    client: Client,
    route: tuple[str, str],
    headers: dict[str, str],
    role: str,
    kind: str,
    leaks: list[object],
) -> int:
    if not is_refused(role, expected(role, kind, route, headers)):
        return int(ask(scene, client, route, headers).status_code)
    with nothing_happens():
        response = ask(scene, client, route, headers)
    if role == "anonymous" and headers is HTML:
        # Back to the path that was asked for, on this site, and to no other.
        assert response["Location"].startswith("/accounts/login/?next=/rooms/")
    elif headers is JSON and response.status_code >= 400:
        assert response["Content-Type"] == "application/json"
        assert set(response.json()) == {"errors"}
    if not may_read(role, kind):
        leaks += [(route, canary) for canary in CANARIES if canary.encode() in whole(response)]
    return int(response.status_code)


def test_the_canaries_are_there_to_be_leaked(db: None) -> None:
    scene = make_scene("private")
    page = whole(ask(scene, scene.client("member"), ("messaging:room", "GET"), HTML)).decode()
    assert [canary for canary in CANARIES if canary not in page] == []


def test_table_has_every_route() -> None:
    named = {
        f"{resolver.namespace}:{pattern.name}"
        for resolver in get_resolver().url_patterns
        if isinstance(resolver, URLResolver) and resolver.namespace in {"rooms", "messaging", "invites"}
        for pattern in resolver.url_patterns
        if isinstance(pattern, URLPattern)
    }
    assert named == {name for name, _ in ANSWERS} | ROOMLESS


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["html", "json"])
@pytest.mark.parametrize("role", ["outsider", "former_member"])
def test_private_room_can_not_be_told_from_one_that_never_existed(db: None, role: str, headers: dict[str, str]) -> None:
    scene = make_scene("private")
    client = scene.client(role)
    ask(scene, client, ("messaging:room", "GET"), HTML, NEVER)  # the first page of all sets the CSRF cookie
    different = []
    for route in ANSWERS:
        there = told(lambda route=route: ask(scene, client, route, headers))  # type: ignore[misc]
        never = told(lambda route=route: ask(scene, client, route, headers, NEVER))  # type: ignore[misc]
        if there != never:
            different.append((route, there, never))
    assert different == []


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["html", "json"])
def test_signed_out_person_can_not_tell_a_room_from_one_that_never_existed(db: None, headers: dict[str, str]) -> None:
    scene = make_scene("public")
    for route in ANSWERS:
        there = told(lambda route=route: ask(scene, Client(), route, headers))  # type: ignore[misc]
        never = told(lambda route=route: ask(scene, Client(), route, headers, NEVER))  # type: ignore[misc]
        assert repr(there).replace(scene.room.slug, NEVER) == repr(never)


def told(request: Callable[[], Any]) -> tuple[int, list[tuple[str, str]], bytes, int]:
    """Return all that one can see of an answer, but for CSRF tokens, which differ by nature."""
    with CaptureQueriesContext(connection) as queries:
        response = request()
    body = re.sub(rb'(csrfmiddlewaretoken" value|csrf-token" content)="\w{64}"', rb"\1", response.content)
    return response.status_code, sorted(response.headers.items()), body, len(queries)


def test_message_of_another_room_is_not_found_under_this_one(db: None) -> None:
    scene = make_scene("private")
    member = scene.people["member"]
    other = RoomFactory.create(actor=member).slug
    client = client_of(member)
    for action in ("edit", "delete", "reactions", "forward"):
        right = f"/rooms/{scene.room.slug}/messages/{scene.message.pk}/{action}/"
        wrong = f"/rooms/{other}/messages/{scene.message.pk}/{action}/"
        assert client.post(right, {"text": "x"}).status_code in {400, 403}
        with nothing_happens():
            response = client.post(wrong, {"text": "x"})
        assert (response.status_code, b"Canary Text" in response.content) == (404, False)


def test_moderators_remove_members_only_and_owners_anybody(db: None) -> None:
    scene = make_scene("private")
    join(scene.room, "moderator2", Membership.Role.MODERATOR)
    answers = {}
    for role in ("moderator", "owner"):
        for username in ("bystander", "moderator2", "owner", "nobody"):
            with undone():
                path = f"/rooms/{scene.room.slug}/members/{username}/remove/"
                answers[role, username] = scene.client(role).post(path).status_code
    assert answers == {
        ("moderator", "bystander"): 302,
        ("moderator", "moderator2"): 403,
        ("moderator", "owner"): 403,
        ("moderator", "nobody"): 404,
        ("owner", "bystander"): 302,
        ("owner", "moderator2"): 302,
        ("owner", "owner"): 400,
        ("owner", "nobody"): 404,
    }


def test_person_who_is_here_but_not_in_the_room_is_not_found_among_its_members(db: None) -> None:
    scene = make_scene("public")
    owner = scene.client("owner")
    for username in ("outsider", "former", "newcomer", "a\0b", "%", "\u0130"):
        with nothing_happens():
            response = owner.post(f"/rooms/{scene.room.slug}/members/{quote(username)}/remove/")
        assert response.status_code == 404


@pytest.mark.parametrize("role", CAST[:3])
def test_doors_open_by_role(db: None, role: str) -> None:
    scene = make_scene("private")
    user, slug = scene.people[role], scene.room.slug
    assert access.visible_room(user, slug)[0] == scene.room
    assert access.joined_room(user, slug).role == role
    for door, roles in ((access.moderated_room, {"owner", "moderator"}), (access.owned_room, {"owner"})):
        if role in roles:
            assert door(user, slug).room == scene.room
        else:
            with pytest.raises(PermissionDenied):
                door(user, slug)


@pytest.mark.parametrize("door", [access.visible_room, access.joined_room, access.moderated_room, access.owned_room])
@pytest.mark.parametrize("role", ["outsider", "former_member"])
def test_doors_of_a_private_room_are_not_there_for_strangers(db: None, role: str, door: Callable[..., Any]) -> None:
    scene = make_scene("private")
    door(scene.people["owner"], scene.room.slug)
    with pytest.raises(Http404):
        door(scene.people[role], scene.room.slug)


def test_closed_account_is_signed_out_everywhere(db: None) -> None:
    scene = make_scene("private")
    client = scene.client("member")
    path = f"/rooms/{scene.room.slug}/"
    assert client.get(path).status_code == 200
    scene.people["member"].is_active = False
    scene.people["member"].save()
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")
    assert client.get(path, headers=JSON).status_code == 401


def test_superuser_who_is_no_member_is_a_stranger_to_a_private_room(db: None) -> None:
    scene = make_scene("private")
    client = client_of(UserFactory.create(is_superuser=True, is_staff=True))
    for route in ANSWERS:
        with nothing_happens():
            assert ask(scene, client, route, HTML).status_code == 404
