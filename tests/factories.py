"""Rows for tests. Rooms, memberships and messages come out of the actions, so that their logs are whole."""

from __future__ import annotations

import uuid
from typing import Any

import factory
from django.contrib.auth.hashers import make_password

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from rooms.actions import add_member, archive_room, create_room
from rooms.models import Membership, Room

PASSWORD = "correct horse battery staple"
_HASHED: list[str] = []


def _hashed_password() -> str:
    # Hashed once for a whole run: hashing is slow on purpose.
    if not _HASHED:
        _HASHED.append(make_password(PASSWORD))
    return _HASHED[0]


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"person{number}")
    email = factory.LazyAttribute(lambda person: f"{person.username}@example.org")
    name = factory.LazyAttribute(lambda person: person.username.capitalize())
    password = factory.LazyFunction(_hashed_password)


class RoomFactory(factory.Factory[Room]):
    class Meta:
        model = Room

    name = factory.Sequence(lambda number: f"Room {number}")
    topic = ""
    kind = Room.Kind.PUBLIC
    actor = factory.SubFactory(UserFactory)
    archived = False

    @classmethod
    def _create(cls, model_class: type[Room], *args: Any, **kwargs: Any) -> Room:
        archived = kwargs.pop("archived")
        room = create_room(**kwargs)
        return archive_room(room, actor=kwargs["actor"]) if archived else room


class MembershipFactory(factory.Factory[Membership]):
    class Meta:
        model = Membership

    room = factory.SubFactory(RoomFactory)
    member = factory.SubFactory(UserFactory)
    role = Membership.Role.MEMBER

    @classmethod
    def _create(cls, model_class: type[Membership], *args: Any, **kwargs: Any) -> Membership:
        return add_member(**kwargs, actor=kwargs["member"])


class MessageFactory(factory.Factory[Message]):
    """A message by a member: the author joins the room first if need be."""

    class Meta:
        model = Message

    room = factory.SubFactory(RoomFactory)
    author = factory.SubFactory(UserFactory)
    text = factory.Sequence(lambda number: f"message {number}")
    client_id = factory.LazyFunction(uuid.uuid4)
    reply_to = None

    @classmethod
    def _create(cls, model_class: type[Message], *args: Any, **kwargs: Any) -> Message:
        room, author = kwargs.pop("room"), kwargs["author"]
        if not Membership.objects.filter(room=room, user=author).exists():
            add_member(room, member=author, actor=author)
        return post_message(room, **kwargs).message
