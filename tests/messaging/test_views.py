from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging.models import Message
from messaging.reactions import add_reaction
from rooms import actions
from rooms.models import Epoch, Room
from tests.bad_input import BAD_IDS, BAD_NUMBERS, BLANK, BROKEN, GOOD, HOSTILE_FIELDS, METHODS
from tests.cast import make_scene, nothing_happens
from tests.conftest import client_of, join
from tests.factories import MessageFactory, RoomFactory, UserFactory

JSON = {"Accept": "application/json"}
FORM = "application/x-www-form-urlencoded"
ROUTES = {
    "": "GET, HEAD",
    "messages/": "GET, HEAD, POST",
    "stream/": "GET",
    "typing/": "POST",
    "messages/1/edit/": "GET, HEAD, POST",
    "messages/1/delete/": "POST",
}


@pytest.fixture
def browser(owner: User) -> Client:
    return client_of(owner)


def post(client: Client, room: Room, text: str = "hello", /, headers: Any = JSON, **fields: str) -> Any:
    sent = {"text": text, "client_id": str(uuid.uuid4()), **fields}
    return client.post(f"/rooms/{room.slug}/messages/", sent, headers=headers)


def errors(response: Any, status: int = 400) -> dict[str, list[str]]:
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    (key, found), *rest = response.json().items()
    assert (key, rest) == ("errors", [])
    return dict(found)


# Posting


def test_post_answers_with_the_message(browser: Client, room: Room, owner: User) -> None:
    client_id = str(uuid.uuid4())
    response = post(browser, room, "**hi**", client_id=client_id)
    message = Message.objects.get()
    data = response.json()
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store, private"
    assert data.pop("created_at").endswith("Z")
    assert data == {
        "id": message.pk,
        "position": 2,
        "client_id": client_id,
        "author": {
            "id": owner.pk,
            "username": "owner",
            "name": "Olga Owner",
            "initials": "OO",
            "hue": owner.hue,
            "avatar": None,
        },
        "text": "**hi**",
        "html": "<p><strong>hi</strong></p>",
        "edited_at": None,
        "deleted_at": None,
        "reply_to": None,
        "reactions": [],
        "attachments": [],
    }


def test_post_of_a_form_leads_back_to_the_message(browser: Client, room: Room) -> None:
    response = post(browser, room, headers={"Accept": "text/html"})
    assert (response.status_code, response["Location"]) == (302, f"/rooms/{room.slug}/#message-2")
    assert 'id="message-2"' in browser.get(response["Location"]).content.decode()


def test_post_again_is_the_same_message(browser: Client, room: Room) -> None:
    client_id = str(uuid.uuid4())
    first = post(browser, room, "hello", client_id=client_id)
    with nothing_happens():
        again = post(browser, room, "hello", client_id=client_id.upper())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


@pytest.mark.parametrize("headers", [JSON, {"Accept": "text/html"}], ids=["json", "html"])
def test_post_of_another_text_under_one_id_is_a_conflict(browser: Client, room: Room, headers: dict[str, str]) -> None:
    client_id = str(uuid.uuid4())
    post(browser, room, "first", client_id=client_id)
    with nothing_happens():
        response = post(browser, room, "second <b>", headers=headers, client_id=client_id)
    assert response.status_code == 409
    if headers is JSON:
        assert set(errors(response, 409)) == {"client_id"}
    else:
        # What was typed is not lost.
        assert b"second &lt;b&gt;</textarea>" in response.content


def test_post_into_another_room_under_one_id_is_a_conflict(browser: Client, room: Room, owner: User) -> None:
    other, client_id = RoomFactory.create(actor=owner), str(uuid.uuid4())
    post(browser, room, client_id=client_id)
    with nothing_happens():
        assert set(errors(post(browser, other, client_id=client_id), 409)) == {"client_id"}


@pytest.mark.parametrize("text", [*BLANK.values(), *BROKEN.values()], ids=[*BLANK, *BROKEN])
def test_post_of_nothing_or_of_what_breaks_is_refused(browser: Client, room: Room, text: str) -> None:
    assert post(browser, room).status_code == 201
    with nothing_happens():
        assert set(errors(post(browser, room, text))) == {"text"}
        page = post(browser, room, text, headers={"Accept": "text/html"})
    assert page.status_code == 400
    assert 'id="composer-error" role="alert" data-error></p>' not in page.content.decode()


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_post_in_any_script_is_kept_to_the_letter(browser: Client, room: Room, text: str) -> None:
    response = post(browser, room, text)
    assert (response.status_code, response.json()["text"]) == (201, text)
    assert Message.objects.get().text == text
    assert browser.get(f"/rooms/{room.slug}/messages/", headers=JSON).json()["messages"][0]["text"] == text


def test_post_is_kept_composed_and_trimmed_with_unix_line_ends(browser: Client, room: Room) -> None:
    assert post(browser, room, "  e\u0301\r\n\tb\rc \n").json()["text"] == "é\n\tb\nc"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("a" * settings.MESSAGE_MAX_CHARACTERS, 201),
        ("a" * (settings.MESSAGE_MAX_CHARACTERS + 1), 400),
        (" " + "a" * settings.MESSAGE_MAX_CHARACTERS + "\n", 201),
        ("😀" * settings.MESSAGE_MAX_CHARACTERS, 201),
        ("😀" * settings.MESSAGE_MAX_CHARACTERS + "a", 400),
    ],
    ids=["longest", "one more", "longest once trimmed", "longest in bytes", "a byte more"],
)
def test_post_has_a_limit_and_is_never_cut(browser: Client, room: Room, text: str, status: int) -> None:
    response = post(browser, room, text)
    assert response.status_code == status
    assert [message.text for message in Message.objects.all()] == ([text.strip()] if status == 201 else [])


@pytest.mark.parametrize("text", ["\n\ndata: x\nevent: reset\nid: 9\n", "a\u2028b\u2029c", "</script><script>", "<!--"])
def test_post_of_what_means_something_elsewhere_is_text(browser: Client, room: Room, text: str) -> None:
    response = post(browser, room, "x" + text)
    assert response.json()["text"] == ("x" + text).strip()
    page = browser.get(f"/rooms/{room.slug}/").content.decode()
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert "x</script>" not in page


def test_post_without_a_proper_client_id_is_refused(browser: Client, room: Room) -> None:
    with nothing_happens():
        for client_id in ("", "1", "not-a-uuid", "g" * 32, "0" * 33, "\x00", "{}", "null", "-" * 5_000):
            assert set(errors(post(browser, room, client_id=client_id))) == {"client_id"}


def test_post_with_nothing_in_it_says_all_that_is_missing(browser: Client, room: Room) -> None:
    with nothing_happens():
        response = browser.post(f"/rooms/{room.slug}/messages/", headers=JSON)
    assert set(errors(response)) == {"text", "client_id"}


def test_post_as_json_is_not_read_as_a_form(browser: Client, room: Room) -> None:
    sent = json.dumps({"text": "\ud800", "client_id": str(uuid.uuid4())})
    with nothing_happens():
        response = browser.post(f"/rooms/{room.slug}/messages/", sent, content_type="application/json", headers=JSON)
    assert set(errors(response)) == {"text", "client_id"}


def test_reply_to_no_message_is_refused(browser: Client, room: Room) -> None:
    numbers = (*BAD_NUMBERS, "0", "999999")
    with nothing_happens():
        answers = {number: set(errors(post(browser, room, reply_to=number))) for number in numbers}
    assert answers == {number: {"reply_to"} for number in numbers}


def test_reply_stays_in_its_room(browser: Client, room: Room, owner: User) -> None:
    here = MessageFactory.create(room=room, author=owner, text="here")
    elsewhere = MessageFactory.create(author=owner)
    good = post(browser, room, "yes", reply_to=str(here.pk)).json()["reply_to"]
    assert (good["id"], good["excerpt"]) == (here.pk, "here")
    with nothing_happens():
        assert set(errors(post(browser, room, reply_to=str(elsewhere.pk)))) == {"reply_to"}


def test_unknown_fields_make_no_difference(browser: Client, room: Room, owner: User, outsider: User) -> None:
    response = post(browser, room, "hello", **HOSTILE_FIELDS)
    message = Message.objects.get()
    assert response.status_code == 201
    assert (message.author, message.room, message.position, message.html) == (owner, room, 2, "<p>hello</p>")
    assert (message.edited_at, message.deleted_at) == (None, None)
    assert message.created_at.year > 2000
    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_superuser) == (False, False)


MALFORMED = {
    "no boundary": ("multipart/form-data", b"x"),
    "no parts": ("multipart/form-data; boundary=x", b"x"),
    "no last boundary": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello',
    ),
    "long boundary": ("multipart/form-data; boundary=" + "x" * 500, b"x"),
    "bad base64": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--',
    ),
    "nested": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n'
        b"--y\r\n\r\nz\r\n--y--\r\n--x--",
    ),
    "long part header": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="text"; ' + b"a" * 50_000 + b"\r\n\r\nz\r\n--x--",
    ),
    "many parts": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1_001 + b"--x--",
    ),
    "many fields": (FORM, b"&".join(b"a%d=" % number for number in range(1_001))),
    "other charset": (f"{FORM}; charset=utf-16", b"text=hello"),
    "unknown charset": (f"{FORM}; charset=nonsense", b"text=hello"),
    "bad escapes": (FORM, b"text=%zz%&client_id=%"),
    "XML": ("text/xml", b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>"),
    "no type": ("", b"text=hello"),
    "broken type": ("\xff/;;;=", b"text=hello"),
}


@pytest.mark.parametrize(("content_type", "body"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_body_is_refused(browser: Client, room: Room, content_type: str, body: bytes) -> None:
    with nothing_happens():
        response = browser.generic("POST", f"/rooms/{room.slug}/messages/", body, content_type, headers=JSON)
    assert errors(response)


# Editing and deleting


def test_author_edits_and_deletes(browser: Client, room: Room, owner: User) -> None:
    message = MessageFactory.create(room=room, author=owner, text="befor")
    path = f"/rooms/{room.slug}/messages/{message.pk}"
    form = browser.get(f"{path}/edit/")
    assert (form.status_code, b"befor</textarea>" in form.content) == (200, True)
    edited = browser.post(f"{path}/edit/", {"text": "before"}, headers=JSON)
    assert (edited.status_code, edited.json()["text"], edited.json()["html"]) == (200, "before", "<p>before</p>")
    assert edited.json()["edited_at"].endswith("Z")
    by_form = browser.post(f"{path}/edit/", {"text": "before noon"})
    assert (by_form.status_code, by_form["Location"]) == (302, f"/rooms/{room.slug}/#message-2")
    deleted = browser.post(f"{path}/delete/", headers=JSON).json()
    assert (deleted["text"], deleted["html"], deleted["position"]) == ("", "", 2)
    assert deleted["deleted_at"].endswith("Z")
    with nothing_happens():
        assert browser.post(f"{path}/delete/", headers=JSON).json() == deleted
        assert set(errors(browser.post(f"{path}/edit/", {"text": "again"}, headers=JSON))) == {"__all__"}
        assert browser.post(f"{path}/edit/", {"text": "again"}).status_code == 400


@pytest.mark.parametrize("sent", [{}, {"text": " "}, {"text": "a\x00"}, {"text": "a" * 8_001}])
def test_edit_to_what_could_not_be_posted_is_refused(
    browser: Client, room: Room, owner: User, sent: dict[str, str]
) -> None:
    path = f"/rooms/{room.slug}/messages/{MessageFactory.create(room=room, author=owner).pk}/edit/"
    with nothing_happens():
        assert set(errors(browser.post(path, sent, headers=JSON))) == {"text"}
        assert browser.post(path, sent).status_code == 400


def test_moderator_deletes_for_others_but_never_edits(room: Room, owner: User) -> None:
    member = join(room, "member")
    moderator = client_of(join(room, "moderator", "moderator"))
    path = f"/rooms/{room.slug}/messages/{MessageFactory.create(room=room, author=member).pk}"
    with nothing_happens():
        assert moderator.post(f"{path}/edit/", {"text": "x"}).status_code == 403
    assert moderator.post(f"{path}/delete/").status_code == 302
    assert Message.objects.get().is_deleted


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_message_that_cannot_be_is_not_found(browser: Client, room: Room, action: str) -> None:
    with nothing_happens():
        answers = {
            number: browser.post(f"/rooms/{room.slug}/messages/{number}/{action}/", {"text": "x"}).status_code
            for number in BAD_IDS
        }
    assert answers == dict.fromkeys(BAD_IDS, 404)


# Reading


def test_history_pages_both_ways(browser: Client, room: Room, owner: User) -> None:
    MessageFactory.create_batch(5, room=room, author=owner)

    def page(query: str) -> tuple[list[int], bool]:
        data = browser.get(f"/rooms/{room.slug}/messages/?{query}", headers=JSON).json()
        return [message["position"] for message in data["messages"]], data["has_more"]

    assert page("") == ([2, 3, 4, 5, 6], False)
    assert page("limit=2") == ([5, 6], True)
    assert page("before=5&limit=2") == ([3, 4], True)
    assert page("after=2&limit=2") == ([3, 4], True)
    assert page("after=4&limit=2") == ([5, 6], False)
    assert page("after=&before=&limit=") == ([2, 3, 4, 5, 6], False)
    assert page(f"before={2**63 - 1}&limit={settings.HISTORY_PAGE_MAX}") == ([2, 3, 4, 5, 6], False)


def test_history_as_html_is_rows_and_nothing_else(browser: Client, room: Room, owner: User) -> None:
    MessageFactory.create_batch(2, room=room, author=owner, text="<b>")
    response = browser.get(f"/rooms/{room.slug}/messages/?limit=1")
    assert (response.status_code, response["X-Has-More"]) == (200, "true")
    assert response.content.count(b"<li ") == 1
    assert b"<html" not in response.content
    assert b"&lt;b&gt;" in response.content
    last = browser.get(f"/rooms/{room.slug}/messages/?before=3")
    assert last["X-Has-More"] == "false"


@pytest.mark.parametrize("name", ["before", "after", "limit"])
@pytest.mark.parametrize("path", ["", "messages/"])
def test_page_that_cannot_be_is_refused(browser: Client, room: Room, path: str, name: str) -> None:
    with nothing_happens():
        answers = {
            number: set(errors(browser.get(f"/rooms/{room.slug}/{path}", {name: number}, headers=JSON)))
            for number in BAD_NUMBERS
        }
    assert answers == {number: {name} for number in BAD_NUMBERS}


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), (f"limit={settings.HISTORY_PAGE_MAX + 1}", "limit"), ("before=1&after=1", "__all__")],
)
def test_page_beyond_its_limits_is_refused(browser: Client, room: Room, query: str, field: str) -> None:
    assert set(errors(browser.get(f"/rooms/{room.slug}/messages/?{query}", headers=JSON))) == {field}


@pytest.mark.parametrize(
    "query",
    [
        "room__password=x",
        "order_by=-author__password",
        "_connector=OR+1%3D1",
        "%27%3B+--=%27%3B+--",
        "author=1",
        "%ff=%fe",
        "a%00=b%00",
        "&".join(["x=1"] * 900),
    ],
)
def test_unknown_parameters_make_no_difference(browser: Client, room: Room, owner: User, query: str) -> None:
    MessageFactory.create(room=room, author=owner)
    path = f"/rooms/{room.slug}/messages/"
    with nothing_happens():
        assert browser.get(f"{path}?{query}", headers=JSON).json() == browser.get(path, headers=JSON).json()


def test_too_many_parameters_are_refused(browser: Client, room: Room) -> None:
    response = browser.get(f"/rooms/{room.slug}/messages/?" + "before=1&" * 10_000, headers=JSON)
    assert set(errors(response)) == {"__all__"}


def test_room_page_is_complete_without_scripts(browser: Client, room: Room, owner: User) -> None:
    MessageFactory.create_batch(settings.HISTORY_PAGE + 1, room=room, author=owner)
    page = browser.get(f"/rooms/{room.slug}/").content.decode()
    last = settings.HISTORY_PAGE + 2
    assert re.findall(r'<li class="message" id="message-(\d+)"', page) == [str(n) for n in range(3, last + 1)]
    assert f'data-position="{last}"' in page
    assert f'data-epoch="{Epoch.current()}"' in page
    assert '<a class="button button--quiet button--small" href="?before=3">' in page
    older = browser.get(f"/rooms/{room.slug}/?before=3").content.decode()
    assert re.findall(r'<li class="message" id="message-(\d+)"', older) == ["2"]
    assert "<message-composer" in page
    assert "<message-composer" in older
    assert f'href="?before={last + 1}">Go to the newest' in older
    assert "Go to the newest<" not in page


def test_room_page_offers_a_stranger_to_join_and_an_archived_one_nothing(room: Room, owner: User) -> None:
    stranger = client_of(UserFactory.create())
    join_path = f'action="/rooms/{room.slug}/join/"'
    page = stranger.get(f"/rooms/{room.slug}/").content.decode()
    assert (join_path in page, "<message-composer" in page, "data-member " in page) == (True, False, False)
    actions.archive_room(room, actor=owner)
    for client in (stranger, client_of(owner)):
        page = client.get(f"/rooms/{room.slug}/").content.decode()
        assert (join_path in page, "<message-composer" in page) == (False, False)


def test_deleted_text_is_on_no_page(browser: Client, room: Room, owner: User) -> None:
    secret = MessageFactory.create(room=room, author=owner, text="Canary Text")
    MessageFactory.create(room=room, author=owner, text="answer", reply_to=secret)
    paths = [f"/rooms/{room.slug}/", f"/rooms/{room.slug}/messages/"]
    accepts = [JSON, {"Accept": "text/html"}]
    assert all(b"Canary Text" in browser.get(path, headers=accept).content for path in paths for accept in accepts)
    browser.post(f"/rooms/{room.slug}/messages/{secret.pk}/delete/")
    assert not any(b"Canary" in browser.get(path, headers=accept).content for path in paths for accept in accepts)


# Methods, headers and costs


@pytest.mark.parametrize(("path", "allowed"), ROUTES.items())
def test_wrong_method_is_refused(browser: Client, room: Room, path: str, allowed: str) -> None:
    headers = {"X-HTTP-Method-Override": "POST", **JSON}
    for method in set(METHODS) - set(allowed.split(", ")):
        for client in (browser, Client()):
            with nothing_happens():
                response = client.generic(method, f"/rooms/{room.slug}/{path}", headers=headers)
            assert (response.status_code, response["Allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["", "messages/", "messages/{}/edit/"])
def test_looking_changes_nothing(browser: Client, room: Room, owner: User, path: str) -> None:
    Epoch.current()
    mine = MessageFactory.create(room=room, author=owner)
    for method in ("GET", "HEAD", "GET"):
        with nothing_happens():
            response = browser.generic(method, f"/rooms/{room.slug}/{path.format(mine.pk)}")
        assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html;q=nan, application/json;q=1e999, ;;;, a"},
        {"Accept": ",".join(["a/b"] * 500)},
        {"Accept": "\x00"},
        {"Accept": "*/*;" + "a=b;" * 1_000},
        {"Accept-Language": "xx-" * 200 + ";q=x"},
        {"Referer": "http://["},
        {"Origin": "null"},
        {"Cookie": "a=" + "b" * 16_000},
        {"Cookie": "earshot_session=" + "x" * 5_000},
        {"Cookie": 'earshot_session="\\377\\376"; earshot_csrf="\\"; messages=%00'},
        {"If-Modified-Since": "never", "If-None-Match": '"', "Range": "bytes=-1"},
        {"X-Forwarded-For": "127.0.0.1, ::1", "X-Forwarded-Host": "x.example", "X-Forwarded-Proto": "https"},
        {"X-CSRFToken": "x" * 10_000},
        {"Content-Length": "x"},
        {"User-Agent": "\xff\xfe"},
        {"Last-Event-ID": "9" * 10_000},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_odd_headers_do_no_harm(room: Room, headers: dict[str, str]) -> None:
    response = Client().get(f"/rooms/{room.slug}/", headers=headers)
    assert response.status_code in {302, 401}
    assert "x.example" not in str(response.headers)


@pytest.mark.parametrize("slug", ["a" * 5_000, "-", "_", "..", "%00", "%ff", "日本", "a b", "a/b", "%2e%2e", "ROOM"])
def test_room_that_cannot_be_is_not_found(browser: Client, slug: str) -> None:
    for path, allowed in ROUTES.items():
        method = browser.post if allowed == "POST" else browser.get
        assert method(f"/rooms/{slug}/{path}").status_code == 404


def test_post_from_another_site_is_refused(room: Room, owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    token = re.search('name="csrf-token" content="([^"]+)"', strict.get(f"/rooms/{room.slug}/").content.decode())
    assert token
    with nothing_happens():
        assert set(errors(post(strict, room), 403)) == {"__all__"}
        forged = {**JSON, "X-CSRFToken": token[1], "Origin": "https://x.example"}
        assert set(errors(post(strict, room, headers=forged), 403)) == {"__all__"}
    assert post(strict, room, headers={**JSON, "X-CSRFToken": token[1]}).status_code == 201


def test_somebody_is_shown_to_type_without_a_row(browser: Client, room: Room) -> None:
    with nothing_happens():
        assert browser.post(f"/rooms/{room.slug}/typing/").status_code == 204


# Literal numbers: a query more for each row would show.
QUERIES = {("", "html"): 13, ("messages/", "html"): 6, ("messages/", "json"): 5, ("stream/", "html"): 3}


@pytest.mark.parametrize(("path", "format"), QUERIES)
@pytest.mark.parametrize("rows", [1, 3])
def test_reading_costs_the_same_for_any_number_of_rows(
    room: Room, owner: User, rows: int, path: str, format: str, django_assert_num_queries: Any
) -> None:
    Epoch.current()
    for number in range(rows):
        person = join(room, f"person{number}")
        first = MessageFactory.create(room=room, author=person)
        MessageFactory.create(room=room, author=person, reply_to=first)
        add_reaction(first, emoji="🎉", actor=owner)
        RoomFactory.create(actor=owner)
    client = client_of(owner)
    headers = {"html": {"Accept": "text/html"}, "json": JSON}[format]
    with django_assert_num_queries(QUERIES[path, format]):
        assert client.get(f"/rooms/{room.slug}/{path}", headers=headers).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_posting_costs_the_same_for_any_number_of_members(
    room: Room, owner: User, rows: int, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        join(room, f"person{number}")
    client = client_of(owner)
    # Session, person, membership; savepoint, lock, membership, client id, position, message, event, release.
    with django_assert_num_queries(7):
        assert post(client, room).status_code == 201


def test_refused_post_takes_no_lock(room: Room, owner: User) -> None:
    client = client_of(owner)
    with CaptureQueriesContext(connection) as queries:
        assert post(client, room, " ").status_code == 400
    assert [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]] == []


@pytest.mark.django_db(transaction=True)
def test_post_that_waits_too_long_for_the_lock_says_come_back() -> None:
    scene = make_scene("public")
    client = scene.client("member")
    other = connection.copy()
    try:
        with transaction.atomic(using=None), other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [scene.room.pk])
            client.raise_request_exception = False
            response = post(client, scene.room)
    finally:
        other.rollback()
        other.close()
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert list(response.json()["errors"]) == ["__all__"]
    assert post(client, scene.room).status_code == 201
