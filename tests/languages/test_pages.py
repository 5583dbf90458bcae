"""No page says a word that is not translated: seen by a language in which every known text is in full-width letters."""

from __future__ import annotations

import re
import string
import uuid
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import allauth
import django
import pytest
from babel.messages import Catalog
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from messaging.actions import delete_message, edit_message, post_message
from messaging.pinning import pin_message
from rooms.actions import archive_room
from rooms.models import Membership, Room
from rooms.moderation import ban
from tests.conftest import client_of, join
from tests.factories import RoomFactory, UserFactory
from tests.languages import catalog

WIDE = str.maketrans({letter: chr(ord(letter) + 0xFEE0) for letter in string.ascii_letters})
# What a page may say in any language: names, and each language in its own tongue.
KNOWN = {"Earshot", "English", "Deutsch", "UTC"}
# In the admin: addresses, what Django itself says so in German too, its scripts' settings, the dates of Esperanto.
OF_DJANGO = {
    "example",
    "org",
    "ii",
    "Search",
    "True",
    "False",
    "uff",
    "memberships",
    "prefix",
    "addText",
    "deleteText",
    "name",
    "options",
    "de",
    "je",
}
WORD = re.compile(r"[A-Za-z]{2,}")
SENTENCE = re.compile(r"[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}|\} [a-z]{2,}")
SPOKEN = {"title", "aria-label", "placeholder", "alt"}
UNSPOKEN = {"script", "style", "time"}


@pytest.fixture(autouse=True)
def strange_language(settings: Any, tmp_path: Path) -> None:
    """Have Esperanto stand for a language that says everything strangely, the libraries' texts too."""
    file = tmp_path / "eo" / "LC_MESSAGES" / "django.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalog.compiled(_strange()))
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("en", "English"), ("eo", "Ⅹ")]
    settings.LANGUAGE_CODE = "en"


def _strange() -> Catalog:
    strange = Catalog(locale="eo")
    for texts in (catalog.extracted(), *_of_libraries()):
        for message in texts:
            if message.id:
                said = tuple(map(_widened, catalog.forms(message.id)))
                strange.add(message.id, said if message.pluralizable else said[0], context=message.context)
    return strange


def _of_libraries() -> Iterator[Catalog]:
    for package in (django, allauth):
        for file in Path(package.__path__[0]).rglob("locale/de/LC_MESSAGES/django.mo"):
            yield catalog.decompiled(file.read_bytes())


def _widened(text: str) -> str:
    """Return the text in full-width letters, its placeholders and elements as they are."""
    parts = re.split(f"({catalog.PLACEHOLDER.pattern}|&\\w+;)", text)
    return "".join(part if number % 2 else part.translate(WIDE) for number, part in enumerate(parts))


class Spoken(HTMLParser):
    """Gathers what a page says in plain ASCII words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in UNSPOKEN
        for name, value in attrs:
            if name.startswith("data-in-"):
                continue  # the same in each language, of which the page's is shown
            if name in SPOKEN or (name.startswith("data-") and SENTENCE.search(value or "")):
                self._hear(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in UNSPOKEN

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._hear(data)

    def _hear(self, text: str) -> None:
        self.words += [f"{word!r} in {text.strip()[:80]!r}" for word in WORD.findall(text) if word not in KNOWN]


def heard(client: Client, path: str) -> list[str]:
    html = client.get(path, headers={"Accept-Language": "eo"}).content.decode()
    assert '<html lang="eo"' in html or "<html" not in html
    assert re.search("[ａ-ｚ]", html), f"{path} says nothing strange"
    return [f"{path}: {word}" for word in Spoken(html).words]


@pytest.fixture
def marit(db: None) -> User:
    return UserFactory.create(username="1", name="Ⅰ", email="1@2.3", language="eo", is_staff=True, is_superuser=True)


@pytest.fixture
def lively_room(marit: User) -> Room:
    """A room in which there is one of everything."""
    room: Room = RoomFactory.create(name="Ⅱ", actor=marit)
    other = join(room, "3", Membership.Role.MODERATOR)
    User.objects.filter(pk=other.pk).update(name="Ⅲ")
    posted = [post_message(room, author=each, text="Ⅳ", client_id=uuid.uuid4()).message for each in (marit, other) * 2]
    edit_message(posted[0], text="Ⅴ", actor=marit)
    delete_message(posted[1], actor=other)
    post_message(room, author=marit, text="Ⅵ", client_id=uuid.uuid4(), reply_to=posted[1])
    pin_message(posted[0], actor=marit)
    return room


def test_words_that_are_not_translated_would_be_heard() -> None:
    page = (
        '<p title="Not said">Ｔｈｉｓ is<script>code()</script></p><p data-left="{count} left" data-room="ana-b"></p>'
    )
    assert [word.split()[0] for word in Spoken(page).words] == ["'Not'", "'said'", "'is'", "'count'", "'left'"]


def test_signed_out_pages_say_nothing_untranslated(db: None) -> None:
    paths = ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"]
    paths += ["account_email_verification_sent", "account_inactive", "account_reset_password_from_key_done"]
    paths += ["account_request_login_code", "socialaccount_login_error", "socialaccount_login_cancelled"]
    found = [word for name in paths for word in heard(Client(), reverse(name))]
    assert found + heard(Client(), "/nothing/") + heard(Client(), "/accounts/confirm-email/x/") == []


def test_signed_in_pages_say_nothing_untranslated(marit: User, lively_room: Room) -> None:
    mine = lively_room.messages.filter(author=marit).earliest("position")
    archived = archive_room(RoomFactory.create(name="Ⅶ", actor=marit), actor=marit)
    elsewhere = RoomFactory.create(name="Ⅷ", actor=UserFactory.create(username="9", name="Ⅸ"))
    rooms = [f"/rooms/{room.slug}/" for room in (lively_room, archived, elsewhere)]
    ban(lively_room, user=UserFactory.create(username="0", name="Ⅹ"), reason="Ⅺ", expires_at=None, actor=marit)
    pages = ["members/", "members/3/ban/", "settings/", f"messages/{mine.pk}/edit/", "messages/", "?before=3"]
    pages += [f"messages/{mine.pk}/revisions/", "pins/"]
    paths = ["/rooms/", "/rooms/new/", *rooms, *(f"{rooms[0]}{page}" for page in pages)]
    paths += [reverse(name) for name in ("accounts:profile", "account_email", "account_logout")]
    paths += [reverse(name) for name in ("invites:list", "mfa_index", "mfa_list_webauthn", "socialaccount_connections")]
    client = client_of(marit)
    assert [word for path in paths for word in heard(client, path)] == []


def test_refused_forms_say_nothing_untranslated(marit: User, lively_room: Room) -> None:
    client = client_of(marit)
    sent = {
        "/rooms/new/": {"name": "", "kind": "7"},
        f"/rooms/{lively_room.slug}/settings/": {"name": "\u202e"},
        f"/rooms/{lively_room.slug}/members/add/": {"username": "0"},
        f"/rooms/{lively_room.slug}/members/3/ban/": {"days": "0"},
        f"/rooms/{lively_room.slug}/delete/": {"name": "0"},
        f"/rooms/{lively_room.slug}/kind/": {"kind": "7"},
        f"/rooms/{lively_room.slug}/messages/": {"text": "", "client_id": "1"},
        reverse("accounts:profile"): {"name": "a\u0301" * 60},
    }
    for path, fields in sent.items():
        answer = client.post(path, fields)
        assert answer.status_code in {400, 404}
        assert Spoken(answer.content.decode()).words == []


def test_mails_say_nothing_untranslated(db: None, mailoutbox: list[EmailMessage]) -> None:
    UserFactory.create(username="1", email="known@example.org")
    for address in ("known@example.org", "unknown@example.org"):
        Client().post(reverse("account_reset_password"), {"email": address}, headers={"Accept-Language": "eo"})
    assert len(mailoutbox) == 2
    for mail in mailoutbox:
        text = re.sub(r"https?://\S+|\S+@\S+", "", f"{mail.subject} {mail.body}")
        assert [word for word in WORD.findall(text) if word not in {*KNOWN, "testserver"}] == []


def test_admin_says_nothing_untranslated(marit: User, lively_room: Room) -> None:
    archive_room(RoomFactory.create(name="Ⅶ", actor=marit), actor=marit)
    names = ["rooms_room", "rooms_membership", "messaging_message", "accounts_user"]
    paths = ["/admin/", *(reverse(f"admin:{name}_changelist") for name in names)]
    paths += [reverse("admin:rooms_room_add"), reverse("admin:rooms_room_change", args=[lively_room.pk])]
    mine = lively_room.messages.filter(author=marit).earliest("position")
    paths += [reverse("admin:messaging_message_delete", args=[mine.pk])]
    client = client_of(marit)
    found = [word for path in paths for word in heard(client, path)]
    assert [word for word in found if word.split("'")[1] not in OF_DJANGO] == []
