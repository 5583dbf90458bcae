"""All that changes rooms and memberships. Each action is one transaction and appends to the room's log."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.audit import AuditEntry, record
from accounts.models import User
from project.realtime.notify import ACTIVITY_CHANNEL, publish, was_read
from rooms import log
from rooms.access import BANNED
from rooms.channels import channel_name
from rooms.models import Ban, Event, Membership, Room, has_unread
from rooms.slugs import free_slug

Role = Membership.Role
Action = AuditEntry.Action
_SLUG_ATTEMPTS = 3
# What owners decide about a room, and which values of it are told in words of their own.
POLICY: dict[str, dict[object, str]] = {
    "who_posts": {"member": "all_post", "moderator": "moderators_post", "owner": "owners_post"},
    "who_invites": {},
    "who_calls_all": {},
    "who_pins": {},
    "slow_seconds": {0: "not_slow"},
    "history": {"full": "history_full", "joined": "history_joined"},
}


def create_room(*, name: str, topic: str, kind: str, actor: User) -> Room:
    """Create a room with the actor as its owner; publishes `membership_added`. Takes no lock but its own new row."""
    for attempt in range(_SLUG_ATTEMPTS):
        try:
            with transaction.atomic():
                room = Room.objects.create(
                    name=name, topic=topic, kind=kind, slug=free_slug(name, kind), channel_name=channel_name(name)
                )
                _add(log.lock(room), member=actor, role=Role.OWNER, actor=actor)
                return room
        except IntegrityError:
            # Somebody took the same address in the same instant.
            if attempt == _SLUG_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def update_room(room: Room, *, name: str, topic: str, actor: User) -> Room:
    """Rename a room or set its topic, under its row lock; publishes `room_changed` if anything changed."""
    with transaction.atomic():
        room = log.lock(room)
        _refuse_archived(room)
        if (room.name, room.topic) == (name, topic):
            return room
        change = "details" if room.name != name and room.topic != topic else "name" if room.name != name else "topic"
        room.name, room.topic = name, topic
        room.save(update_fields=["name", "topic"])
        log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change=change)
        return room


def archive_room(room: Room, *, actor: User) -> Room:
    """Make a room read-only, under its row lock; publishes `room_changed`."""
    return _set_archived(room, True, actor=actor)


def restore_room(room: Room, *, actor: User) -> Room:
    """Open an archived room again, under its row lock; publishes `room_changed`."""
    return _set_archived(room, False, actor=actor)


def change_kind(room: Room, *, kind: str, actor: User) -> Room:
    """Make a room public or private, under its row lock; publishes `room_changed` if it was not.

    Its members stay, and so does its address, for their open pages and their links. To everybody else a room that
    became private answers from then on as an address at which there never was one.
    """
    with transaction.atomic():
        room = log.lock(room)
        _refuse_archived(room)
        if room.kind != kind:
            room.kind = kind
            room.save(update_fields=["kind"])
            record(Action.ROOM, actor=actor, room=room.named, detail=kind)
            log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change=kind)
        return room


def change_policy(room: Room, *, actor: User, **policy: str | int) -> Room:
    """Say who may do what in a room, under its row lock; publishes `room_changed` for each that changed.

    Where new members' history changes, all streams of the room begin anew at that event.
    """
    with transaction.atomic():
        room = log.lock(room)
        _refuse_archived(room)
        changed = [name for name in POLICY if name in policy and getattr(room, name) != policy[name]]
        for name in changed:
            setattr(room, name, policy[name])
        if changed:
            room.save(update_fields=changed)
            record(
                Action.ROOM,
                actor=actor,
                room=room.named,
                detail=", ".join(f"{name}={policy[name]}" for name in changed),
            )
        for name in changed:
            log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change=POLICY[name].get(policy[name], name))
        return room


def delete_room(room: Room, *, actor: User) -> None:
    """Make a room vanish, under its row lock; publishes `room_deleted`, at which all its streams end."""
    with transaction.atomic():
        room = log.lock(room)
        Room.objects.filter(pk=room.pk).update(deleted_at=Now())
        log.append(room, Event.Kind.ROOM_DELETED, actor=actor)
        record(Action.ROOM, actor=actor, room=room.named, detail="deleted")


def undelete_room(room: Room, *, actor: User) -> Room:
    """Bring a deleted room back as it was, under its row lock; publishes `room_changed`.

    Raises `ValidationError` once it has been deleted for longer than rooms are kept. Done twice it changes nothing.
    """
    with transaction.atomic():
        room = log.lock_even_deleted(room)
        if not room.is_deleted:
            return room
        if not Room.with_deleted.restorable().filter(pk=room.pk).exists():
            raise ValidationError(_("This room was deleted too long ago to be restored."), code="gone")
        room.deleted_at = None
        room.save(update_fields=["deleted_at"])
        log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change="returned")
        record(Action.ROOM, actor=actor, room=room.named, detail="returned")
        return room


def join_room(room: Room, *, actor: User) -> Membership:
    """Make the actor a member, under the room's row lock; publishes `membership_added`. Joining again changes nothing.

    The caller has found the room through `access.visible_room`; a private room is entered only by being added.
    """
    with transaction.atomic():
        room = log.lock(room)
        membership = Membership.objects.filter(room=room, user=actor).first()
        if membership:
            return membership
        _refuse_archived(room)
        if Ban.objects.in_force().filter(room=room, user=actor).exists():
            raise PermissionDenied(BANNED)
        if not room.is_public or actor.is_guest:
            raise ValidationError(_("This room can only be entered by invitation."))
        return _add(room, member=actor, role=Role.MEMBER, actor=actor)


def add_member(room: Room, *, member: User, actor: User, role: str = Role.MEMBER) -> Membership:
    """Add somebody, under the room's row lock; publishes `membership_added`. Raises `ValidationError`."""
    with transaction.atomic():
        room = log.lock(room)
        _refuse_archived(room)
        if not member.is_active:
            raise ValidationError(_("This account is closed."), code="inactive")
        if member.is_guest and role != Role.MEMBER:
            raise ValidationError(_("Guests can't run a room."), code="guest")
        if Membership.objects.filter(room=room, user=member).exists():
            raise ValidationError(_("%(name)s is in this room already.") % {"name": member}, code="member")
        if Ban.objects.in_force().filter(room=room, user=member).exists():
            raise ValidationError(_("%(name)s is banned from this room. Lift the ban first.") % {"name": member})
        return _add(room, member=member, role=role, actor=actor)


def remove_member(membership: Membership, *, actor: User) -> None:
    """End a membership, under the room's row lock; publishes `membership_removed`, at which the member's streams end.

    Leaving is removing oneself. Raises `ValidationError` for a room's last owner. Done twice it changes nothing.
    """
    with transaction.atomic():
        room = log.lock(membership.room)
        current = Membership.objects.filter(pk=membership.pk).first()
        if current is None:
            return
        _refuse_last_owner(current)
        current.delete()
        log.append(room, Event.Kind.MEMBERSHIP_REMOVED, actor=actor, member=membership.user)
        if membership.user != actor:
            record(Action.REMOVED, actor=actor, target=membership.user, room=room.named)


def change_role(membership: Membership, *, role: str, actor: User) -> Membership:
    """Give a member another role, under the room's row lock; publishes `membership_changed` if it is another.

    Raises `ValidationError` for a room's last owner, and for somebody who has left meanwhile.
    """
    with transaction.atomic():
        room = log.lock(membership.room)
        current = Membership.objects.select_related("user").filter(pk=membership.pk).first()
        if current is None:
            raise ValidationError(_("They are no longer in this room."), code="gone")
        if current.role == role:
            return current
        if role != Role.MEMBER and current.user.is_guest:
            raise ValidationError(_("Guests can't run a room."), code="guest")
        if role != Role.OWNER:
            _refuse_last_owner(current)
        current.role = role
        current.save(update_fields=["role"])
        log.append(room, Event.Kind.MEMBERSHIP_CHANGED, actor=actor, member=current.user, change=role)
        record(Action.ROLE, actor=actor, target=current.user, room=room.named, detail=role)
        return current


def mark_read(membership: Membership, *, position: int) -> None:
    """Move a member's read position forward, never back and never beyond the log. No lock, no event of the log.

    Where it moved, the person's other streams are told.
    """
    position = min(position, membership.room.last_position)
    earlier = Membership.objects.filter(pk=membership.pk, last_read_position__lt=position)
    if earlier.update(last_read_position=position):
        _tell_read(membership)


def mark_unread(membership: Membership, *, position: int) -> None:
    """Have a member's read position stand before a position: the one way back, and only by the person's own act.

    A read position that moves by itself, as `mark_read` moves it, still only grows. No lock, no event of the log.
    """
    position = max(position, membership.reads_after + 1)
    later = Membership.objects.filter(pk=membership.pk, last_read_position__gte=position)
    if later.update(last_read_position=position - 1):
        _tell_read(membership)


def _tell_read(membership: Membership) -> None:
    """Have the person's streams told how far they have read, and whether something is left."""
    now = Membership.objects.filter(pk=membership.pk).annotate(is_unread=has_unread())
    found = now.values_list("last_read_position", "is_unread").first()
    if found:
        payload = was_read(membership.user_id, membership.room_id, found[0], is_unread=found[1])
        transaction.on_commit(lambda: publish(ACTIVITY_CHANNEL, payload), robust=True)


def _add(room: Room, *, member: User, role: str, actor: User) -> Membership:
    position = log.next_position(room)
    # What was said before they came is not unread.
    membership = Membership.objects.create(
        room=room, user=member, role=role, last_read_position=position, joined_position=position
    )
    log.append(room, Event.Kind.MEMBERSHIP_ADDED, actor=actor, member=member, position=position)
    return membership


def _set_archived(room: Room, archived: bool, *, actor: User) -> Room:
    with transaction.atomic():
        room = log.lock(room)
        if room.is_archived == archived:
            return room
        Room.objects.filter(pk=room.pk).update(archived_at=Now() if archived else None)
        room.refresh_from_db(fields=["archived_at"])
        change = "archived" if archived else "restored"
        log.append(room, Event.Kind.ROOM_CHANGED, actor=actor, change=change)
        record(Action.ROOM, actor=actor, room=room.named, detail=change)
        return room


def _refuse_archived(room: Room) -> None:
    if room.is_archived:
        raise ValidationError(_("This room is archived: it can be read, not changed."), code="archived")


def _refuse_last_owner(membership: Membership) -> None:
    if not membership.is_owner:
        return
    others = Membership.objects.filter(room=membership.room_id, role=Role.OWNER, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise ValidationError(_("A room needs an owner. Make somebody else an owner first."), code="last_owner")
