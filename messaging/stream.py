"""The streams of rooms: who may have them, and from where on."""

from __future__ import annotations

import re

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import SignedInRequest, signed_in
from accounts.sessions import revocations_after, still_signed_in
from messaging import events
from messaging import mentions as mentioning
from messaging.log_reading import last_positions
from project.address import client_network
from project.realtime.feed import Entry
from project.realtime.handoff import EventStreamResponse
from project.realtime.hub import Hub
from project.realtime.source import Revocations
from project.realtime.subscription import REPLAY_MAX, Admission, Ticket
from project.realtime.unread import Logs, Mentions, Reading
from rooms import access
from rooms.models import Epoch, Membership, has_unread

ROOMS_MAX = 200
_POSITION = re.compile(r"[0-9]{1,19}")
_COMPOUND = re.compile(r"[0-9]{1,19}\.[0-9]{1,19}(,[0-9]{1,19}\.[0-9]{1,19})*")


class RoomLogs:
    """The rooms' logs, as the hub asks for them."""

    def read_after(self, key: int, position: int, limit: int, *, rows: bool) -> list[Entry]:
        return events.read_after(key, position, limit, rows=rows)

    def heads(self, keys: list[int]) -> dict[int, int]:
        return last_positions(keys)

    def revoked(self, tickets: list[Ticket]) -> set[Ticket]:
        members = set(
            Membership.objects.in_force()
            .filter(room__in={ticket.key for ticket in tickets}, user__in={ticket.viewer for ticket in tickets})
            .values_list("room", "user")
        )
        return self.signed_out(tickets).union(
            ticket for ticket in tickets if (ticket.key, ticket.viewer) not in members
        )

    def signed_out(self, tickets: list[Ticket]) -> set[Ticket]:
        signed_in = still_signed_in([(ticket.viewer, ticket.session) for ticket in tickets])
        return {ticket for ticket in tickets if (ticket.viewer, ticket.session) not in signed_in}

    def revocations_after(self, era: int) -> Revocations:
        return Revocations(*revocations_after(era))

    def readings(self, viewers: list[int]) -> dict[int, Reading]:
        logs: dict[int, Logs] = {viewer: {} for viewer in viewers}
        unread: dict[int, set[int]] = {viewer: set() for viewer in viewers}
        mentions: dict[int, Mentions] = {viewer: {} for viewer in viewers}
        memberships = (
            Membership.objects.in_force()
            .filter(user__in=viewers, room__archived_at=None)
            .annotate(is_unread=has_unread(), mention_count=mentioning.unread_mentions())
        )
        for viewer, key, slug, is_unread, count in memberships.values_list(
            "user", "room", "room__slug", "is_unread", "mention_count"
        ):
            logs[viewer][key] = slug
            if is_unread:
                unread[viewer].add(key)
            if count:
                mentions[viewer][key] = count
        return {viewer: Reading(logs[viewer], frozenset(unread[viewer]), mentions[viewer]) for viewer in viewers}


HUB = Hub(RoomLogs(), streams_per_address=settings.STREAMS_PER_ADDRESS * settings.LIMITS_FACTOR)


@require_GET
@signed_in
def stream(request: SignedInRequest, slug: str) -> HttpResponseBase:
    """Answer with the room's events after the cursor, for as long as the viewer is a member and signed in."""
    _refuse_other_sites(request)
    membership = access.joined_room(request.user, slug)
    head = membership.room.last_position
    text = _sent_cursor(request)
    position = head if text is None else _position(text, head)
    if _is_of_another_epoch(request):
        position = None
    is_page = request.GET.get("format") == "html"
    if is_page and position is not None and head - position > REPLAY_MAX:
        position = None
    ticket = _ticket(request, membership, position, format="html" if is_page else "json")
    return EventStreamResponse(request, HUB, Admission((ticket,), address=client_network(request)))


@require_GET
@signed_in
def combined_stream(request: SignedInRequest) -> HttpResponseBase:
    """Answer with the events of several rooms (`rooms=a,b`), or of all that the viewer is in, under one cursor.

    The cursor is `room.position,…` by the rooms' ids, as the events' own ids say it. A room that it does not name goes
    on from where the viewer became its member.
    """
    _refuse_other_sites(request)
    memberships = _memberships(request)
    text = _sent_cursor(request)
    positions: dict[int, int | None]
    if text is None:
        positions = {each.room_id: each.room.last_position for each in memberships}
    elif _is_of_another_epoch(request) or not _COMPOUND.fullmatch(text):
        positions = {}
    else:
        positions = _positions(text, memberships)
    tickets = [_ticket(request, each, positions.get(each.room_id)) for each in memberships]
    return EventStreamResponse(request, HUB, Admission(tuple(tickets), True, client_network(request)))


def _refuse_other_sites(request: SignedInRequest) -> None:
    """A page elsewhere could open it with the viewer's cookie; not every browser says where a request is from."""
    origin = request.headers.get("Origin")
    is_elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
    if is_elsewhere or (origin is not None and origin.partition("://")[2] != request.get_host()):
        raise PermissionDenied(_("Another site may not open this stream."))


def _memberships(request: SignedInRequest) -> list[Membership]:
    """Return the memberships whose rooms are asked for: 404 and 403 as for each of them alone."""
    names = [name for name in request.GET.get("rooms", "").split(",") if name]
    if any("\0" in name for name in names):  # PostgreSQL would refuse the question
        raise Http404
    mine = Membership.objects.in_force().filter(user=request.user).select_related("room").order_by("room")
    found = list(mine.filter(room__slug__in=names) if names else mine)
    for name in set(names) - {membership.room.slug for membership in found}:
        access.joined_room(request.user, name)  # raises
    if not found or len(found) > ROOMS_MAX:
        raise BadRequest(_("Ask for one room at least, and at most %(limit)d.") % {"limit": ROOMS_MAX})
    return found


def _ticket(request: SignedInRequest, membership: Membership, position: int | None, format: str = "json") -> Ticket:
    """Return the right to a room's log from a position on, or from its head after a `reset` if there is none."""
    head = membership.room.last_position
    return Ticket(
        key=membership.room_id,
        channel=membership.room.channel_name,
        name=membership.room.slug,
        viewer=request.user.pk,
        session=request.session.session_key or "",
        position=head if position is None else max(position, membership.reads_after),
        authorized_at=head,
        floor=membership.reads_after,
        format=format,
        reset=position is None,
    )


def _sent_cursor(request: SignedInRequest) -> str | None:
    return request.headers.get("Last-Event-ID") or request.GET.get("after")


def _position(text: str, head: int) -> int | None:
    """Return a cursor as a position, or None if it can't be one of this log."""
    if not _POSITION.fullmatch(text):
        return None
    position = int(text)
    return position if position <= head else None


def _positions(text: str, memberships: list[Membership]) -> dict[int, int | None]:
    sent = dict(part.split(".") for part in text.split(","))
    positions: dict[int, int | None] = {}
    for membership in memberships:
        position = sent.get(str(membership.room_id))
        if position is None:
            positions[membership.room_id] = membership.joined_position
        else:
            positions[membership.room_id] = _position(position, membership.room.last_position)
    return positions


def _is_of_another_epoch(request: SignedInRequest) -> bool:
    claimed = request.GET.get("epoch")
    return claimed is not None and claimed != Epoch.current()
