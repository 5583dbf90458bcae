"""Writing the company into the database: all of it, or nothing."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.db.models import Count

from accounts.models import User
from messaging.actions import delete_message, edit_message
from messaging.demo.people import MAIL_DOMAIN, PEOPLE, Person
from messaging.demo.rooms import DAYS, GENERAL, ROOMS, RoomPlan
from messaging.demo.script import RoomScript, Said
from messaging.importing import ImportedLine, backdate_beginnings, import_history
from messaging.models import Message
from messaging.pinning import pin_message
from rooms.actions import add_member, archive_room, create_room, join_room, mark_read
from rooms.models import Membership, Room

People = Mapping[str, User]

_LOCK = "earshot demo"
_BEFORE_FIRST_WORD = timedelta(hours=5)
_AFTERTHOUGHTS = ("*Edit: typo.*", "*Edit: yes, really.*", "*Edit: the other one, sorry.*", "*Edit: solved, thanks!*")
_AFTERTHOUGHTS_EVERY = 3  # rooms
_UNREAD = (0, 0, 0, 4, 12)
_REGRETTED_AMONG = 40  # the newest messages, of which the shortest is taken back


class FilledError(Exception):
    """The demo data is there already, or just being written."""


@dataclass(frozen=True)
class Filled:
    people: int
    rooms: int
    messages: int
    password: str
    """Of all the demo's people; kept nowhere else."""
    usernames: Sequence[str]


def refuse_filled() -> None:
    """Raise `FilledError` if the demo's people are here."""
    if User.objects.filter(email__endswith=f"@{MAIL_DOMAIN}").exists():
        raise FilledError("The demo data is here already; nothing was changed.")


def fill(
    *, messages: int, seed: int, now: datetime, begin: Callable[[int], object], advance: Callable[[int], object]
) -> Filled:
    """Write people, rooms and about that many messages, in one transaction: an interrupted demo leaves nothing behind.

    `begin` is told how many messages there will be, `advance` how many more have been written. Locks each new room as
    it is made and General last, so that a site in use hardly waits. Raises `FilledError`.
    """
    random = Random(seed)  # noqa: S311 - it makes up small talk
    with transaction.atomic():
        _be_alone()
        password = secrets.token_urlsafe(12)
        people = _make_people(password, now)
        owner = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        general = Room.objects.filter(slug=GENERAL, kind=Room.Kind.PUBLIC, archived_at=None).first()
        # A General in which people talk already is only joined: this history would come after their messages.
        is_in_use = general is not None and general.messages.exists()
        told = [plan for plan in ROOMS if not (is_in_use and plan.texts == GENERAL)]
        scripts = _write(told, messages, now, random, people)
        begin(sum(map(len, scripts.values())))
        for number, plan in enumerate(sorted(ROOMS, key=lambda plan: plan.texts == GENERAL)):
            room = _open_room(plan, people, owner, general)
            if plan not in scripts:
                continue
            _tell(room, scripts[plan], people, now, advance)
            _pin(room)
            if plan.is_archived:
                archive_room(room, actor=people[plan.members[0]])
            elif number % _AFTERTHOUGHTS_EVERY == 2:
                _think_again(room, random)
            _read(room, plan, people, owner, random)
    count = sum(map(len, scripts.values()))
    return Filled(len(people), len(ROOMS), count, password, [user.username for user in people.values()])


def _be_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [_LOCK])
        if cursor.fetchone() != (True,):
            raise FilledError("The demo data is just being written by another process.")
    refuse_filled()


def _make_people(password: str, now: datetime) -> dict[str, User]:
    joined_at = now - timedelta(days=DAYS) - 2 * _BEFORE_FIRST_WORD
    return {username: _make_person(person, password, joined_at) for username, person in PEOPLE.items()}


def _make_person(person: Person, password: str, joined_at: datetime) -> User:
    """Make an account; whoever has such a name on this site already keeps it for themselves."""
    numbered = (f"{person.username}{number}" for number in itertools.count(2))
    username = next(
        name for name in itertools.chain([person.username], numbered) if not User.objects.looking_like(name).exists()
    )
    name = "" if User.objects.looking_like(person.name).exists() else person.name
    user = User.objects.create_user(username, person.email, password, name=name, date_joined=joined_at)
    EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)
    return user


def _write(
    plans: Sequence[RoomPlan], messages: int, now: datetime, random: Random, people: People
) -> dict[RoomPlan, list[Said]]:
    """Return what is said in each room."""
    usernames = {key: user.username for key, user in people.items()}
    shares = sum(plan.share for plan in plans)
    return {
        plan: RoomScript(plan, now=now, random=random, usernames=usernames).write(round(messages * plan.share / shares))
        for plan in plans
    }


def _open_room(plan: RoomPlan, people: People, owner: User | None, general: Room | None) -> Room:
    """Make a room, or take General if there is one, and let everybody in."""
    first, moderator, *others = (people[username] for username in plan.members)
    if general and plan.texts == GENERAL:
        room = general
        others = [first, moderator, *others]
    else:
        room = create_room(name=plan.name, topic=plan.topic, kind=plan.kind, actor=first)
        add_member(room, member=moderator, actor=first, role=Membership.Role.MODERATOR)
    invited = [owner] if owner and plan.unread is not None else []
    for person in (*others, *invited):
        if room.is_public:
            join_room(room, actor=person)
        else:
            add_member(room, member=person, actor=first)
    return room


def _tell(room: Room, script: Sequence[Said], people: People, now: datetime, advance: Callable[[int], object]) -> None:
    first_word = now - timedelta(days=DAYS)
    backdate_beginnings(room, began_at=first_word - _BEFORE_FIRST_WORD, ended_at=first_word)
    lines = (ImportedLine(people[said.username], said.text, said.at, said.reply_to) for said in script)
    import_history(room, lines=lines, advance=advance)


def _pin(room: Room) -> None:
    """Have a room's owner pin what was answered most."""
    owner = Membership.objects.select_related("user").filter(room=room, role=Membership.Role.OWNER).earliest("pk").user
    said = Message.objects.select_related("room").filter(room=room).annotate(answers=Count("replies"))
    if answered := said.filter(answers__gt=0).order_by("-answers", "-position").first():
        pin_message(answered, actor=owner)


def _think_again(room: Room, random: Random) -> None:
    """Have one of the newest messages edited and another deleted, by those who wrote them."""
    said = Message.objects.filter(room=room, replies=None).with_people()
    newest = list(said.order_by("-position")[:_REGRETTED_AMONG])
    if len(newest) < 2:
        return
    regretted = min(newest, key=lambda message: len(message.text))
    edited = random.choice([message for message in newest if message != regretted][:10])
    if edited.author and regretted.author:
        edit_message(edited, text=f"{edited.text}\n\n{random.choice(_AFTERTHOUGHTS)}", actor=edited.author)
        delete_message(regretted, actor=regretted.author)


def _read(room: Room, plan: RoomPlan, people: People, owner: User | None, random: Random) -> None:
    """Let the demo's people and the site's owner have read the room, but for a few of its newest messages."""
    newest = list(Message.objects.filter(room=room).order_by("-position").values_list("position", flat=True)[:50])
    readers = [*people.values(), *([owner] if owner else [])]
    for membership in Membership.objects.filter(room=room, user__in=readers).select_related("room"):
        is_owner = owner is not None and membership.user_id == owner.pk
        unread = (plan.unread or 0) if is_owner else random.choice(_UNREAD)
        is_partly_read = 0 < unread < len(newest)
        mark_read(membership, position=newest[unread] if is_partly_read else membership.room.last_position)
