"""The people and rooms of a site of the faults. All of it is blocking, and made by the product's own actions."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from accounts.models import User
from rooms.actions import add_member, create_room
from rooms.models import Membership, Room


@dataclass(frozen=True)
class Person:
    name: str
    session: str


@transaction.atomic
def signed_in_people(number: int) -> list[Person]:
    """Return so many people, their accounts open, each with a new session."""
    people = []
    for place in range(number):
        user, _ = User.objects.get_or_create(
            username=f"person{place}", defaults={"name": f"Person {place}", "email": f"person{place}@example.org"}
        )
        if not user.is_active:
            User.objects.filter(pk=user.pk).update(is_active=True)
        people.append(Person(user.username, sign_in(user)))
    return people


def sign_in(user: User) -> str:
    """Return the key of a new session in which this person is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


@transaction.atomic
def make_rooms(names: list[str], usernames: list[str], kind: str) -> list[Room]:
    """Make rooms whose owner is the first of these people, and whose members are the others."""
    users = {user.username: user for user in User.objects.filter(username__in=usernames)}
    owner = users[usernames[0]]
    rooms = [create_room(name=name, topic="", kind=kind, actor=owner) for name in names]
    for room in rooms:
        for name in usernames[1:]:
            add_member(room, member=users[name], actor=owner, role=Membership.Role.MEMBER)
    return list(Room.objects.filter(pk__in=[room.pk for room in rooms]).order_by("pk"))
