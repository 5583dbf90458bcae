from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from rooms import actions
from rooms.models import Epoch, Membership, Room
from tests.answers import JSON, errors
from tests.bad_input import BAD_NUMBERS, BLANK, BROKEN, GOOD, HOSTILE_FIELDS, METHODS, REVERSED
from tests.cast import make_scene, nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory

ROOM_ROUTES = {
    "settings/": "GET, HEAD, POST",
    "kind/": "POST",
    "delete/": "POST",
    "archive/": "POST",
    "restore/": "POST",
    "join/": "POST",
    "leave/": "POST",
    "read/": "POST",
    "members/": "GET, HEAD",
    "members/add/": "POST",
    "members/owner/remove/": "POST",
    "members/owner/role/": "POST",
    "members/owner/ban/": "GET, HEAD, POST",
    "members/owner/lift/": "POST",
    "members/owner/mute/": "GET, HEAD, POST",
    "members/owner/unmute/": "POST",
    "policy/": "POST",
    "guard/": "POST",
    "words/": "POST",
    "unguard/": "POST",
    "audit/": "GET, HEAD",
}
BAD_NAMES = {**BLANK, **BROKEN, **REVERSED}


def create(client: Client, **changes: str) -> Any:
    return client.post("/rooms/new/", {"name": "Tea", "topic": "", "kind": "public", **changes}, headers=JSON)


def test_directory_lists_what_one_may_know_of(room: Room, private_room: Room, owner: User, outsider: User) -> None:
    archived = RoomFactory.create(name="Attic", actor=owner, archived=True)
    mine = client_of(owner).get("/rooms/")
    theirs = client_of(outsider).get("/rooms/")
    assert (mine.status_code, theirs.status_code) == (200, 200)
    names = {each: each.name.encode() in theirs.content for each in (room, private_room, archived)}
    assert names == {room: True, private_room: False, archived: True}
    assert private_room.name.encode() in mine.content
    assert private_room.slug.encode() not in theirs.content


def test_directory_counts_members_and_knows_ones_own(room: Room, owner: User, outsider: User) -> None:
    join(room, "member")
    rooms = client_of(owner).get("/rooms/").context["rooms"]
    assert [(each.name, each.member_count, each.is_member) for each in rooms] == [("Kitchen", 2, True)]
    rooms = client_of(outsider).get("/rooms/").context["rooms"]
    assert [(each.member_count, each.is_member) for each in rooms] == [(2, False)]


def test_home_leads_to_the_directory(db: None) -> None:
    assert Client().get("/")["Location"] == "/rooms/"


def test_sidebar_marks_what_is_unread(room: Room, owner: User) -> None:
    member = join(room, "member")
    client = client_of(member)
    assert b"room-link--unread" not in client.get("/rooms/").content
    message = MessageFactory.create(room=room, author=owner)
    assert b"room-link--unread" in client.get("/rooms/").content
    client.post(f"/rooms/{room.slug}/read/", {"position": message.position})
    assert b"room-link--unread" not in client.get("/rooms/").content


def test_new_room_belongs_to_who_made_it(browser: Client, owner: User) -> None:
    assert browser.get("/rooms/new/").status_code == 200
    response = create(browser, name="  Tea \u00a0 time ", topic="Hot", kind="private", **HOSTILE_FIELDS_BUT_KIND)
    room = Room.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/rooms/{room.slug}/")
    assert (room.name, room.topic, room.kind, room.last_position) == ("Tea time", "Hot", "private", 1)
    assert room.slug.startswith("tea-time")
    assert room.channel_name.startswith("room_tea_time_")
    assert [(each.user, each.role) for each in room.memberships.all()] == [(owner, "owner")]


HOSTILE_FIELDS_BUT_KIND = {name: value for name, value in HOSTILE_FIELDS.items() if name != "kind"}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_bad_name_makes_no_room_and_renames_none(browser: Client, room: Room, name: str) -> None:
    settings_path = f"/rooms/{room.slug}/settings/"
    with nothing_happens():
        assert set(errors(create(browser, name=name))) == {"name"}
        assert set(errors(browser.post(settings_path, {"name": name, "topic": ""}, headers=JSON))) == {"name"}
        assert browser.post(settings_path, {"name": name}).status_code == 400


@pytest.mark.parametrize("topic", [*BROKEN.values(), *REVERSED.values()], ids=[*BROKEN, *REVERSED])
def test_bad_topic_is_refused(browser: Client, topic: str) -> None:
    with nothing_happens():
        assert set(errors(create(browser, topic=topic))) == {"topic"}


@pytest.mark.parametrize("name", GOOD.values(), ids=GOOD)
def test_name_and_topic_in_any_script_are_kept_to_the_letter(browser: Client, name: str) -> None:
    assert create(browser, name=name, topic=name).status_code == 302
    room = Room.objects.get()
    assert (room.name, room.topic) == (name, name)
    page = browser.get("/rooms/").content.decode()
    assert "<>&;" not in page


@pytest.mark.parametrize(("field", "limit"), [("name", settings.ROOM_NAME_MAX), ("topic", settings.ROOM_TOPIC_MAX)])
@pytest.mark.parametrize("letter", ["a", "😀", "é"])
def test_name_and_topic_have_limits_and_are_never_cut(browser: Client, field: str, limit: int, letter: str) -> None:
    with nothing_happens():
        assert set(errors(create(browser, **{field: letter * (limit + 1)}))) == {field}
    assert create(browser, **{field: f"  {letter * limit} "}).status_code == 302
    assert getattr(Room.objects.get(), field) == letter * limit


@pytest.mark.parametrize("kind", ["", "direct", "PUBLIC", "public\x00", "1"])
def test_kind_that_is_none_is_refused(browser: Client, kind: str) -> None:
    with nothing_happens():
        assert set(errors(create(browser, kind=kind))) == {"kind"}


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/rooms/new/", {"name", "kind"}), ("/rooms/{}/settings/", {"name"}), ("/rooms/{}/members/add/", {"username"})],
)
def test_form_with_nothing_in_it_says_what_is_missing(browser: Client, room: Room, path: str, fields: set[str]) -> None:
    path = path.format(room.slug)
    with nothing_happens():
        assert set(errors(browser.post(path, headers=JSON))) == fields
        page = browser.post(path)
    assert page.status_code == 400
    assert b"This field is required." in page.content


def test_moderator_renames_and_owner_archives(room: Room, owner: User) -> None:
    moderator = client_of(join(room, "moderator", Membership.Role.MODERATOR))
    path = f"/rooms/{room.slug}"
    assert b"Kitchen" in moderator.get(f"{path}/settings/").content
    renamed = moderator.post(f"{path}/settings/", {"name": "Galley", "topic": "Food", **HOSTILE_FIELDS})
    assert (renamed.status_code, renamed["Location"]) == (302, f"{path}/")
    assert client_of(owner).post(f"{path}/archive/")["Location"] == f"{path}/settings/"
    room.refresh_from_db()
    assert (room.name, room.topic, room.is_archived, room.kind) == ("Galley", "Food", True, "public")
    client_of(owner).post(f"{path}/restore/")
    room.refresh_from_db()
    assert not room.is_archived


def test_hostile_name_is_text_everywhere(browser: Client, owner: User) -> None:
    hostile = "<img src=x onerror=window.__x=1>\"'"
    create(browser, name=hostile, topic=hostile)
    room = Room.objects.get()
    owner.name = hostile[:40]
    owner.save()
    member = client_of(join(room, "member"))
    for path in ("/rooms/", *(f"/rooms/{room.slug}/{each}" for each in ("", "members/", "settings/"))):
        for client in (browser, member):
            page = client.get(path).content.decode()
            assert "<img src=x" not in page
            assert 'onerror=window.__x=1>"' not in page


@pytest.mark.parametrize("role", ["", "king", "OWNER", "owner\x00", "0"])
def test_role_that_is_none_is_refused(browser: Client, room: Room, role: str) -> None:
    join(room, "member")
    path = f"/rooms/{room.slug}/members/member/role/"
    with nothing_happens():
        assert errors(browser.post(path, {"role": role}, headers=JSON)) == {"__all__": ["There is no such role."]}
    assert browser.post(path, {"role": "moderator"}).status_code == 302


@pytest.mark.parametrize("name", ["nobody", "a\x00b", "..", "%", "a" * 5_000, "member@example.org", "𝓶ember"])
def test_member_who_cannot_be_is_not_found(browser: Client, room: Room, name: str) -> None:
    join(room, "member")
    for action in ("remove", "role"):
        with nothing_happens():
            path = f"/rooms/{room.slug}/members/{quote(name)}/{action}/"
            assert browser.post(path, {"role": "owner"}).status_code == 404
    assert browser.post(f"/rooms/{room.slug}/members/MEMBER/remove/").status_code == 302


def test_read_position_that_cannot_be_is_refused(browser: Client, room: Room) -> None:
    with nothing_happens():
        for number in (*BAD_NUMBERS, ""):
            assert set(errors(browser.post(f"/rooms/{room.slug}/read/", {"position": number}))) == {"position"}


@pytest.mark.parametrize(("path", "allowed"), ROOM_ROUTES.items())
def test_wrong_method_is_refused(browser: Client, room: Room, path: str, allowed: str) -> None:
    headers = {"X-HTTP-Method-Override": "POST"}
    for method in set(METHODS) - set(allowed.split(", ")):
        for client in (browser, Client()):
            with nothing_happens():
                response = client.generic(method, f"/rooms/{room.slug}/{path}", headers=headers)
            assert (response.status_code, response["Allow"]) == (405, allowed)


@pytest.mark.parametrize(("path", "allowed"), [("/rooms/", "GET, HEAD"), ("/rooms/new/", "GET, HEAD, POST")])
def test_wrong_method_on_the_directory_is_refused(browser: Client, path: str, allowed: str) -> None:
    for method in set(METHODS) - set(allowed.split(", ")):
        response = browser.generic(method, path)
        assert (response.status_code, response["Allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/rooms/", "/rooms/new/", "/rooms/{}/settings/", "/rooms/{}/members/"])
def test_looking_changes_nothing(browser: Client, room: Room, path: str) -> None:
    for method in ("GET", "HEAD", "GET"):
        with nothing_happens():
            assert browser.generic(method, path.format(room.slug), headers={"X-Purpose": "preview"}).status_code == 200


@pytest.mark.parametrize("slug", ["a" * 5_000, "%00", "%ff", "日本", "..", "never-existed"])
def test_room_that_cannot_be_is_not_found(browser: Client, room: Room, slug: str) -> None:
    answers = {
        path: (browser.post if allowed == "POST" else browser.get)(f"/rooms/{slug}/{path}").status_code
        for path, allowed in ROOM_ROUTES.items()
    }
    assert answers == dict.fromkeys(ROOM_ROUTES, 404)


# Literal numbers: a query more for each row would show.
QUERIES = {"/rooms/": 5, "/rooms/{}/members/": 7}


@pytest.mark.parametrize("path", QUERIES)
@pytest.mark.parametrize("rows", [1, 3])
def test_pages_cost_the_same_for_any_number_of_rows(
    room: Room, owner: User, rows: int, path: str, django_assert_num_queries: Any
) -> None:
    Epoch.current()
    for number in range(rows):
        join(room, f"person{number}")
        RoomFactory.create(actor=owner)
        RoomFactory.create()
        RoomFactory.create(archived=True)
    client = client_of(owner)
    with django_assert_num_queries(QUERIES[path]):
        assert client.get(path.format(room.slug)).status_code == 200


def test_change_at_an_archived_room_is_refused_with_a_sentence(db: None) -> None:
    scene = make_scene("archived")
    owner, outsider = scene.client("owner"), scene.client("outsider")
    path = f"/rooms/{scene.room.slug}"
    for client, action, sent in (
        (owner, "settings/", {"name": "Other"}),
        (owner, "members/add/", {"username": "newcomer"}),
        (outsider, "join/", {}),
    ):
        with nothing_happens():
            response = client.post(f"{path}/{action}", sent, headers=JSON)
        (sentences,) = errors(response).values()
        assert sentences == ["This room is archived: it can be read, not changed."]
    actions.restore_room(scene.room, actor=scene.people["owner"])
    assert outsider.post(f"{path}/join/").status_code == 302
