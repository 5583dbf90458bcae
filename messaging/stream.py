"""A room's stream: who may have it, and from where on."""

from __future__ import annotations

import re

from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import SignedInRequest, signed_in
from accounts.sessions import still_signed_in
from messaging import events
from project.realtime.feed import Entry
from project.realtime.handoff import EventStreamResponse
from project.realtime.hub import Hub
from project.realtime.subscription import REPLAY_MAX, Ticket
from project.realtime.unread import Logs, Reading
from rooms import access
from rooms.models import Epoch, Membership, Room

_POSITION = re.compile(r"[0-9]{1,19}", re.ASCII)


class RoomLogs:
    """The rooms' logs, as the hub asks for them."""

    def read_after(self, key: int, position: int, limit: int) -> list[Entry]:
        return events.read_after(key, position, limit)

    def heads(self, keys: list[int]) -> dict[int, int]:
        return dict(Room.objects.filter(pk__in=keys).values_list("pk", "last_position"))

    def revoked(self, tickets: list[Ticket]) -> set[Ticket]:
        members = set(
            Membership.objects.filter(
                room__in={ticket.key for ticket in tickets}, user__in={ticket.viewer for ticket in tickets}
            ).values_list("room", "user")
        )
        signed_in = still_signed_in([(ticket.viewer, ticket.session) for ticket in tickets])
        return {
            ticket
            for ticket in tickets
            if (ticket.key, ticket.viewer) not in members or (ticket.viewer, ticket.session) not in signed_in
        }

    def readings(self, viewers: list[int]) -> dict[int, Reading]:
        logs: dict[int, Logs] = {viewer: {} for viewer in viewers}
        unread: dict[int, set[int]] = {viewer: set() for viewer in viewers}
        memberships = Membership.objects.filter(user__in=viewers, room__archived_at=None).with_unread()
        for viewer, key, slug, is_unread in memberships.values_list("user", "room", "room__slug", "is_unread"):
            logs[viewer][key] = slug
            if is_unread:
                unread[viewer].add(key)
        return {viewer: Reading(logs[viewer], frozenset(unread[viewer])) for viewer in viewers}


HUB = Hub(RoomLogs())


@require_GET
@signed_in
def stream(request: SignedInRequest, slug: str) -> HttpResponseBase:
    """Answer with the room's events after the cursor, for as long as the viewer is a member and signed in."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise PermissionDenied(_("Another site may not open this stream."))
    membership = access.joined_room(request.user, slug)
    return EventStreamResponse(request, HUB, _ticket(request, membership))


def _ticket(request: SignedInRequest, membership: Membership) -> Ticket:
    head = membership.room.last_position
    format = "html" if request.GET.get("format") == "html" else "json"
    position = _cursor(request, head)
    is_unknown = position is None or _is_of_another_epoch(request)
    is_too_far = format == "html" and position is not None and head - position > REPLAY_MAX
    return Ticket(
        key=membership.room_id,
        channel=membership.room.channel_name,
        viewer=request.user.pk,
        session=request.session.session_key or "",
        position=head if is_unknown or position is None else position,
        authorized_at=head,
        format=format,
        reset=is_unknown or is_too_far,
    )


def _cursor(request: SignedInRequest, head: int) -> int | None:
    """Return the position to go on from: the header's, else the parameter's, else the head; None if it can't be one."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after")
    if text is None:
        return head
    if not _POSITION.fullmatch(text):
        return None
    position = int(text)
    return position if position <= head else None


def _is_of_another_epoch(request: SignedInRequest) -> bool:
    claimed = request.GET.get("epoch")
    return claimed is not None and claimed != Epoch.current()
