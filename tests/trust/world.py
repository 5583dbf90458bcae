"""Four rooms in which everything that can be read is a canary, everybody who may come along, and what they ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from invites.models import Invite
from messaging.models import Attachment, Message
from project.files import store
from rooms import actions
from rooms.models import Ban, Epoch, Membership, Room
from rooms.moderation import ban
from tests.cast import undone
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.files.making import send
from tests.rooms.admin_pages import form_of, staff
from tests.trust.matrix import HTML, KINDS, ROLES, Cell
from tests.trust.matrix import actions as matrix_actions
from tests.trust.routes import routes

_WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"


@dataclass(frozen=True)
class Place:
    """A room, and what is in it."""

    room: Room
    message: Message  # by a bystander who is in no other room
    own: Mapping[str, Message]  # by the cast
    file: Attachment
    ban: Ban
    canaries: Mapping[str, bytes]


@dataclass(frozen=True)
class World:
    places: Mapping[str, Place]
    home: Place  # everybody who is signed in is in this one
    people: Mapping[str, User]
    clients: Mapping[str, Client]
    group: Group
    invite: Invite
    rows: dict[str, list[Any]] = field(default_factory=dict)

    def ask(self, cell: Cell) -> Any:
        return self.ask_for(cell, self.places.get(cell.kind))

    def ask_for(self, cell: Cell, place: Place | None, **other: str) -> Any:
        """Make a cell's request; `other` names other parameters of its route, such as a room that never was."""
        options = cell.action.options
        values = {**self.values_of(cell, place), **other}
        path = path_of(cell.action.route, values)
        query = cell.action.query.format_map(values)
        body, content_type = self._body(options, values, place)
        headers = {"Accept": cell.accept, **options.get("headers", {})}
        target = f"{path}?{query}" if query else path
        sent = (body, content_type) if cell.action.method == "POST" else ()
        return self.client(cell.role).generic(cell.action.method, target, *sent, headers=headers)

    def client(self, role: str) -> Client:
        """Return a browser as it was when the world was made: what an answer puts into a cookie is not kept."""
        client = Client(raise_request_exception=False)  # a fault is a 500, and so a cell that fails
        client.cookies = SimpleCookie(self.clients[role].cookies.output(header="", sep=";"))
        return client

    def values_of(self, cell: Cell | None, place: Place | None = None) -> dict[str, Any]:
        """Return what stands for the parameters of a cell's route, and for the words in what it sends."""
        if cell is None:
            cell = Cell(next(action for action in matrix_actions() if action.is_of_a_room), "owner", "public", HTML)
        found = self._values(cell, place or self.places.get(cell.kind))
        return found | {name: value.format_map(found) for name, value in cell.action.options.get("with", {}).items()}

    def _values(self, cell: Cell, place: Place | None) -> dict[str, Any]:
        source = self.home if cell.action.options.get("of") == "home" else place
        found: dict[str, Any] = {
            "home": self.home.room.slug,
            "key": self.people["newcomer"].avatar_key,
            "object_id": self.people["newcomer"].pk,
            "id": self.people["newcomer"].pk,
        }
        if cell.action.route.startswith("admin:auth_group"):
            found["object_id"] = self.group.pk
        if cell.action.route.startswith("admin:invites"):
            found["object_id"] = self.invite.pk
        if place and source:
            message = source.own.get(cell.role) if cell.action.options.get("whose") == "own" else None
            message = message or source.message
            found |= {
                "slug": place.room.slug,
                "bystander": place.message.author.username if place.message.author else "",
                "name": place.room.name,
                "key": place.file.key,
                "message_id": message.pk,
                "position": message.position,
                "object_id": _object_id(cell, place),
                "source": source.room.slug,
            }
        return found

    def _body(self, options: Mapping[str, Any], values: Mapping[str, Any], place: Place | None) -> tuple[bytes, str]:
        if options.get("body") == "admin form":
            assert place
            return urlencode(form_of(place.room, topic="Jam")).encode(), "application/x-www-form-urlencoded"
        if "body" in options:
            return options["body"].encode(), "application/octet-stream"
        fields = {name: value.format_map(values) for name, value in options.get("sends", {}).items()}
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def path_of(route: str, values: Mapping[str, Any]) -> str:
    parameters = {name: values[name] for name in routes()[route].parameters}
    if "message_id" in parameters:
        parameters["slug"] = values["source"]
    return reverse(route, kwargs=parameters)


def _object_id(cell: Cell, place: Place) -> int:
    model = cell.action.options.get("object") or cell.action.route.split("_")[-2:][0]
    bystander = place.room.memberships.get(user=place.message.author)
    return {"membership": bystander.pk, "ban": place.ban.pk, "message": place.message.pk}.get(model, place.room.pk)


# Building


@contextmanager
def built() -> Iterator[World]:
    """Build the world, and take it down again: nothing of it is ever committed."""
    with undone():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        Epoch.current()
        people = _people()
        home = _place("home", people, list(people.values()))
        places = {
            kind: _place(kind, people, [people[role] for role in ("member", "former", "closed")]) for kind in KINDS
        }
        clients = {role: client_of(people[role]) if role in people else Client() for role in ROLES}
        for client in clients.values():
            client.get("/accounts/profile/", follow=True)  # the first page of all sets the CSRF cookie
        User.objects.filter(username="closed").update(is_active=False)
        world = World(places, home, people, clients, Group.objects.create(name="Helpers"), _invite(people["owner"]))
        world.rows.update(everything())
        yield world


def _invite(maker: User) -> Invite:
    soon = timezone.now() + timedelta(days=1)
    return Invite.objects.create(token_hash="0" * 64, maker=maker, is_for_site=True, expires_at=soon)


def _people() -> dict[str, User]:
    people = {role: UserFactory.create(username=role) for role in ROLES if role not in {"anonymous", "staff"}}
    people["staff"] = staff("view_room", "add_room", "change_room", "view_message", "delete_message")
    people["superuser"].is_staff = people["superuser"].is_superuser = True
    people["superuser"].save()
    people["marshal"] = UserFactory.create(username="marshal")
    people["newcomer"] = UserFactory.create(username="newcomer", avatar_key=store.new_key())
    picture = store.path_of(people["newcomer"].avatar_key)
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    return people


def _place(kind: str, people: Mapping[str, User], joining: list[User]) -> Place:
    owner = people["owner"]
    room = RoomFactory.create(
        name=f"Canary {kind} Name",
        topic=f"Canary {kind} Topic",
        kind=Room.Kind.PRIVATE if kind == "private" else Room.Kind.PUBLIC,
        actor=owner,
    )
    bystander = join(room, f"bystander-{kind}" if kind == "home" else f"by-{kind}")
    User.objects.filter(pk=bystander.pk).update(name=f"Canary {kind} Person", email=f"canary-{kind}@example.org")
    bystander.refresh_from_db()
    for person in joining:
        if person != owner:
            actions.add_member(room, member=person, actor=owner)
    if kind != "home":
        for role in ("moderator", "marshal"):
            actions.add_member(room, member=people[role], role=Membership.Role.MODERATOR, actor=owner)
    message = MessageFactory.create(room=room, author=bystander, text=f"Canary {kind} Text")
    authors = [role for role in ("member", "moderator", "owner", "former") if role in people]
    own = {role: MessageFactory.create(room=room, author=people[role]) for role in authors}
    file = _carried(room, bystander, kind)
    if kind != "home":
        leave(room, people["former"])
    banned = (
        ban(room, user=people["banned"], reason=f"Canary {kind} Reason", expires_at=None, actor=owner)
        if kind != "home"
        else Ban()
    )
    if kind == "archived":
        actions.archive_room(room, actor=owner)
    if kind == "deleted":
        actions.delete_room(room, actor=owner)
    return Place(Room.with_deleted.get(pk=room.pk), message, own, file, banned, _canaries(kind, room))


def _carried(room: Room, author: User, kind: str) -> Attachment:
    data = f"Canary {kind} Bytes".encode()
    key = send(client_of(author), room.slug, data, f"canary-{kind}-file.txt").json()["id"]
    MessageFactory.create(room=room, author=author, text="a file", attachments=[key])
    return Attachment.objects.get(key=key)


def _canaries(kind: str, room: Room) -> dict[str, bytes]:
    said = {
        what: f"Canary {kind} {what.capitalize()}" for what in ("name", "topic", "text", "person", "bytes", "reason")
    }
    said |= {"file": f"canary-{kind}-file", "email": f"canary-{kind}@example.org", "channel": room.channel_name}
    return {what: text.encode() for what, text in said.items()}


# What happens


@dataclass
class Seen:
    """What a request did, beside answering."""

    written: int = 0
    told: int = 0
    mailed: int = 0
    filed: int = 0

    @property
    def anything(self) -> bool:
        return any((self.written, self.told, self.mailed, self.filed))


@contextmanager
def watched() -> Iterator[Seen]:
    """Count rows written (also those that a savepoint took back), wake-ups sent or promised, mails and files."""
    seen, sent = Seen(), []

    def note(execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        if "pg_notify" in str(sql):
            sent.append(parameters)
        return execute(sql, parameters, many, context)

    written, promised, mailed, filed = _written(), len(connection.run_on_commit), len(mail.outbox), _files()
    with connection.execute_wrapper(note):
        yield seen
    seen.written = _written() - written
    seen.told = len(sent) + len(connection.run_on_commit) - promised
    seen.mailed = len(mail.outbox) - mailed
    seen.filed = len(_files() ^ filed)


def everything() -> dict[str, list[Any]]:
    """Return every row of every table."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if not model._meta.proxy
    }


def all_bytes(response: Any) -> bytes:
    """Return all that an answer says: its headers, its cookies and its body; of a stream none of the last."""
    head = repr(sorted(response.headers.items())) + str(response.cookies)
    return head.encode() + (response.content if isinstance(response, HttpResponse) else b"")


def _written() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        return int(cursor.fetchone()[0])


def _files() -> set[Path]:
    return set(Path(settings.UPLOADS_DIR).rglob("*"))
