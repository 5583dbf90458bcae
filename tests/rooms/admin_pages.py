"""The admin's pages of rooms: what a browser sends from them, and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from accounts.models import User
from rooms.models import Event, Membership, Room
from tests.factories import UserFactory

ROOMS = reverse("admin:rooms_room_changelist")
ADD = reverse("admin:rooms_room_add")
MEMBERSHIPS = reverse("admin:rooms_membership_changelist")
PEOPLE = reverse("admin:autocomplete")
PERSON_FIELD = {"app_label": "rooms", "model_name": "membership", "field_name": "user"}
Role = Membership.Role
Kind = Event.Kind


def staff(*permissions: str) -> User:
    person = UserFactory.create(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return person


def page_of(room: Room) -> str:
    return reverse("admin:rooms_room_change", args=[room.pk])


def form_of(room: Room, **changes: str) -> dict[str, Any]:
    """Return what a browser would send from the room's page if nothing was changed there, and then the changes."""
    members = list(room.memberships.in_order())
    data: dict[str, Any] = {"name": room.name, "topic": room.topic}
    if room.is_public:
        data["kind"] = room.kind
    if room.is_archived:
        data["archived"] = "on"
    data |= {"memberships-TOTAL_FORMS": len(members), "memberships-INITIAL_FORMS": len(members)}
    for number, membership in enumerate(members):
        row = {"id": membership.pk, "room": room.pk, "role": membership.role}
        data |= {f"memberships-{number}-{field}": value for field, value in row.items()}
        data[f"initial-memberships-{number}-role"] = membership.role
    return data | changes


def with_new(data: dict[str, Any], room: Room, person: User, role: str = Role.MEMBER) -> dict[str, Any]:
    number = data["memberships-TOTAL_FORMS"]
    row = {"room": room.pk, "user": person.pk, "role": role}
    data |= {f"memberships-{number}-{field}": value for field, value in row.items()}
    data[f"initial-memberships-{number}-role"] = Role.MEMBER
    return data | {"memberships-TOTAL_FORMS": number + 1}


def with_role(data: dict[str, Any], membership: Membership, role: str) -> dict[str, Any]:
    return data | {f"memberships-{row_of(data, membership)}-role": role}


def without(data: dict[str, Any], membership: Membership) -> dict[str, Any]:
    return data | {f"memberships-{row_of(data, membership)}-DELETE": "on"}


def row_of(data: dict[str, Any], membership: Membership) -> int:
    rows = range(data["memberships-INITIAL_FORMS"])
    return next(number for number in rows if data[f"memberships-{number}-id"] == membership.pk)


def errors_of(response: Any) -> list[str]:
    """Return the sentences on the page: of the form, of the rows, and of the rows together."""
    found = response.context["errors"]
    return [str(error) for errors in found for error in ([errors] if isinstance(errors, str) else errors)]


def notices_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def log_of(room: Room, after: int = 0) -> list[tuple[str, User | None]]:
    events = room.events.filter(position__gt=after).select_related("member")
    return [(event.kind, event.member) for event in events]


def position_of(room: Room) -> int:
    return Room.objects.get(pk=room.pk).last_position


def history() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def roles_in(room: Room) -> dict[str, str]:
    return dict(room.memberships.values_list("user__username", "role"))


def state() -> list[Any]:
    """All that a refused request leaves as it was: the rows, the history and what is to be published."""
    rows = [list(model.objects.order_by("pk").values()) for model in (Room, Membership, Event, LogEntry)]
    return [*rows, len(connection.run_on_commit)]


def paths_for(room: Room) -> list[str]:
    membership = room.memberships.first()
    assert membership
    return [
        ROOMS,
        ADD,
        page_of(room),
        f"{ROOMS}{room.pk}/history/",
        MEMBERSHIPS,
        f"{MEMBERSHIPS}{membership.pk}/change/",
    ]
