"""Four rooms in which everything that can be read is a canary, everybody who may come along, and what they ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.audit import AuditEntry
from accounts.models import User
from accounts.site_bans import ban_from_site
from invites.actions import make_invite
from messaging.models import Attachment, Message
from messaging.moderation import report_message
from messaging.pinning import pin_message
from project.files import store
from rooms import actions
from rooms.models import Epoch, Membership, Room, WordFilter
from rooms.moderation import ban, guard_against_raid, mute, open_for_review, set_word_filter
from tests.cast import undone
from tests.conftest import client_of, join, leave
from tests.factories import MessageFactory, RoomFactory, UserFactory
from tests.files.making import send
from tests.rooms.admin_pages import form_of, staff
from tests.trust.matrix import HTML, KINDS, ROLES, Cell
from tests.trust.matrix import actions as matrix_actions
from tests.trust.routes import routes
from tests.trust.watching import everything, everything_of

STAFF_RIGHTS = (
    *("view_room", "add_room", "change_room", "view_message", "delete_message"),
    *("view_report", "change_report"),
)


@dataclass(frozen=True)
class Place:
    """A room, and what is in it."""

    room: Room
    message: Message  # by a bystander who is in no other room
    own: Mapping[str, Message]  # by the cast
    file: Attachment
    canaries: Mapping[str, bytes]
    token: str = ""  # of an invitation that nobody has used
    restrictions: Mapping[str, Model] = field(default_factory=dict)  # by the names of their models


@dataclass(frozen=True)
class World:
    places: Mapping[str, Place]
    home: Place  # everybody who is signed in is in this one
    people: Mapping[str, User]
    clients: Mapping[str, Client]
    objects: Mapping[str, Model]  # of no room, by what the admin calls their models
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

    @contextmanager
    def prepared(self, cell: Cell) -> Iterator[Mapping[str, list[Any]]]:
        """Have the room's owners decide what the cell says, for the caller to take back; yields all rows."""
        policy = cell.action.options.get("policy")
        if policy:
            Room._base_manager.filter(pk=self.places[cell.kind].room.pk).update(**policy)
        yield {**self.rows, Room._meta.label: everything_of(Room)} if policy else self.rows

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
            "home_id": self.home.room.pk,
            "key": self.people["newcomer"].avatar_key,
            "newcomer": self.people["newcomer"].pk,
            "id": self.people["newcomer"].pk,
            "object_id": self.objects.get(_model_of(cell), self.people["newcomer"]).pk,
        }
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
                "room_id": place.room.pk,
                "token": place.token,
                "report_id": place.restrictions["report"].pk,
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


def _model_of(cell: Cell) -> str:
    """Return the model that a page of the admin is about, as the admin calls it."""
    return str(cell.action.options.get("object") or cell.action.route.split("_")[-2:][0])


def _object_id(cell: Cell, place: Place) -> int:
    return int(place.restrictions.get(_model_of(cell), place.room).pk)


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
        clients["invited"] = _holding(places["private"].token, people["invited"])
        for client in clients.values():
            client.get("/accounts/profile/", follow=True)  # the first page of all sets the CSRF cookie
        User.objects.filter(username="closed").update(is_active=False)
        world = World(places, home, people, clients, _objects(people, places))
        connection.check_constraints()  # as a commit does; else each cell would do it for all of the world's rows
        world.rows.update(everything())
        yield world


def _holding(token: str, person: User) -> Client:
    """Return the browser of somebody who has opened an invitation, and then signed in."""
    client = Client()
    assert client.post(reverse("invites:invite", args=[token])).status_code == 302
    client.force_login(person)
    return client


def _objects(people: Mapping[str, User], places: Mapping[str, Place]) -> dict[str, Model]:
    """Make what the admin has beside rooms. That one superuser has opened the private room opens it to no other."""
    reviewer = UserFactory.create(username="reviewer", is_staff=True, is_superuser=True)
    site_ban = ban_from_site(UserFactory.create(username="exile"), reason="x", expires_at=None, actor=reviewer)
    return {
        "group": Group.objects.create(name="Helpers"),
        "invite": make_invite(rooms=[], lasts=timedelta(days=1), max_uses=None, actor=people["owner"])[0],
        "review": open_for_review(places["private"].room, reason="x", actor=reviewer),
        "siteban": site_ban,
        "auditentry": AuditEntry.objects.latest("pk"),
    }


def _people() -> dict[str, User]:
    people = {role: UserFactory.create(username=role) for role in ROLES if role not in {"anonymous", "staff"}}
    people["staff"] = staff(*STAFF_RIGHTS)
    people["superuser"].is_staff = people["superuser"].is_superuser = True
    people["superuser"].save()
    people["marshal"] = UserFactory.create(username="marshal")
    people["newcomer"] = UserFactory.create(username="newcomer", avatar_key=store.new_key())
    picture = store.path_of(people["newcomer"].avatar_key)
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    people["guest"].is_guest = True
    people["muted"] = UserFactory.create(username="muted")
    for person in people.values():
        person.date_joined -= timedelta(days=2)  # nobody is new
        person.save()
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
    own = {
        role: MessageFactory.create(room=room, author=people[role])
        for role in ("member", "moderator", "owner", "former")
    }
    place = Place(room, message, own, _carried(room, bystander, kind), _canaries(kind, room))
    if kind == "home":
        return place
    leave(room, people["former"])
    _invite, token = make_invite(rooms=[room], lasts=timedelta(days=1), max_uses=None, actor=owner)
    place = replace(place, token=token, restrictions=_restrictions(place, people))
    pin_message(message, actor=owner)
    if kind == "archived":
        actions.archive_room(room, actor=owner)
    if kind == "deleted":
        actions.delete_room(room, actor=owner)
    return replace(place, room=Room.with_deleted.get(pk=room.pk))


def _restrictions(place: Place, people: Mapping[str, User]) -> dict[str, Model]:
    """Have the owner do in a room all that there is to be undone, and return what came of it."""
    room, owner, tomorrow = place.room, people["owner"], timezone.now() + timedelta(days=1)
    terms: dict[str, Any] = {"reason": place.canaries["reason"].decode(), "expires_at": None, "actor": owner}
    actions.add_member(room, member=people["muted"], actor=owner)
    set_word_filter(room, words="casino", actor=owner)
    return {
        "ban": ban(room, user=people["banned"], **terms),
        "mute": mute(room, user=people["muted"], **terms),
        "raid": guard_against_raid(room, hours=1, expires_at=tomorrow, actor=owner),
        "wordfilter": WordFilter.objects.get(room=room),
        "report": report_message(place.message, reason=terms["reason"], reporter=people["marshal"]),
        "message": place.message,
        "membership": room.memberships.get(user=place.message.author),
    }


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
