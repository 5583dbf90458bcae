"""Deleted rooms go for good, with all that is in them, once nobody can bring them back; and nothing else goes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.audit import AuditEntry
from accounts.models import User
from messaging import purging
from messaging.actions import edit_message
from messaging.purging import purge_deleted_rooms
from messaging.reactions import add_reaction
from messaging.verify import findings
from rooms.actions import delete_room, undelete_room
from rooms.models import Room
from rooms.moderation import set_word_filter
from tests.cast import Scene, make_scene
from tests.factories import MessageFactory, RoomFactory
from tests.files.making import png
from tests.files.test_serving import carried
from tests.invites.making import invited
from tests.trust.watching import everything

DAYS = configured.DELETED_ROOM_DAYS


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"


def full_scene() -> Scene:
    """Return a room with something of everything in it."""
    scene = make_scene("public")
    room, owner = scene.room, scene.people["owner"]
    MessageFactory.create(room=room, author=owner, text="@bystander look", reply_to=scene.message)
    edit_message(scene.message, text="Canary Change", actor=scene.message.author)  # type: ignore[arg-type]
    add_reaction(scene.message, emoji="👍", actor=owner)
    carried(room, owner)
    carried(room, owner, png(1000, 800), "canary.png")
    invited(room, by=owner)
    set_word_filter(room, words="canary", actor=owner)
    return scene


def deleted(room: Room, owner: User, days: float) -> None:
    delete_room(room, actor=owner)
    Room.with_deleted.filter(pk=room.pk).update(deleted_at=timezone.now() - timedelta(days=days))


def tables_of(room: Room) -> set[str]:
    """Return the tables in which something is of the room, or of its messages."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            at = {"Room": "", "Message": "__room"}.get(getattr(field.related_model, "__name__", ""))
            if at is not None and model._base_manager.filter(**{f"{field.name}{at}": room.pk}).exists():
                found.add(model.__name__)
    return found


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at_once", [1, 500])
def test_room_goes_with_all_that_is_in_it_and_nothing_else_does(
    uploads: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(purging, "_AT_ONCE", at_once)
    other = MessageFactory.create(text="elsewhere")
    carried(other.room, other.author)  # type: ignore[arg-type]
    kept, others = files(uploads), everything()
    scene = full_scene()
    used = tables_of(scene.room)
    assert used >= {"Membership", "Event", "Message", "Mention", "Reaction", "MessageRevision", "Attachment"}
    assert used >= {"Report", "Ban", "Mute", "Raid", "WordFilter", "Invite_rooms"}
    assert len(files(uploads)) == len(kept) + 3
    deleted(scene.room, scene.people["owner"], DAYS + 1)

    assert (purge_deleted_rooms(), purge_deleted_rooms()) == (1, 0)

    assert (tables_of(scene.room), files(uploads)) == (set(), kept)
    assert not Room.with_deleted.filter(pk=scene.room.pk).exists()
    for table in ("rooms.Room", "rooms.Event", "messaging.Message", "rooms.Membership"):
        assert everything()[table] == others[table] != []
    told = AuditEntry.objects.filter(room_id=scene.room.pk).latest("pk")
    assert (told.action, told.detail, told.room_name, told.actor_id) == ("room", "purged", "Canary Name", None)
    assert list(findings(Room.with_deleted.all())) == []


def test_room_that_can_be_restored_and_room_that_is_there_stay(room: Room, owner: User) -> None:
    lately, old = RoomFactory.create(actor=owner), RoomFactory.create(actor=owner)
    for each in (room, lately, old):
        MessageFactory.create(room=each, author=owner)
    deleted(lately, owner, DAYS - 0.1)
    deleted(old, owner, DAYS + 0.1)
    with pytest.raises(ValidationError):
        undelete_room(old, actor=owner)
    assert purge_deleted_rooms() == 1
    assert set(Room.with_deleted.all()) == {room, lately}
    assert undelete_room(lately, actor=owner).messages.count() == 1
