from __future__ import annotations

import json
import re
import uuid

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from messaging.models import Message
from rooms.models import Epoch, Room
from tests.answers import JSON, errors
from tests.bad_input import BAD_NUMBERS, BLANK, BROKEN, GOOD, HOSTILE_FIELDS, METHODS
from tests.cast import nothing_happens
from tests.factories import MessageFactory
from tests.messaging.posting import post

FORM = "application/x-www-form-urlencoded"
ROUTES = {
    "": "GET, HEAD",
    "messages/": "GET, HEAD, POST",
    "stream/": "GET",
    "typing/": "POST",
    "messages/1/edit/": "GET, HEAD, POST",
    "messages/1/delete/": "POST",
}


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
