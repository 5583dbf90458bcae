"""An invitation in hand: kept in the session from when it was opened until its reader has an account."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from invites.access import good_invite
from invites.models import Invite

_KEY = "invite"


def hold(request: HttpRequest, invite: Invite) -> None:
    request.session[_KEY] = invite.token_hash


def held_hash(request: HttpRequest) -> str | None:
    held: str | None = request.session.get(_KEY)
    return held


def held_invite(request: HttpRequest) -> Invite | None:
    """Return the invitation in hand if it is still good."""
    token_hash = held_hash(request)
    if token_hash is None:
        return None
    try:
        return good_invite(token_hash)
    except Http404:
        return None


def forget(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)
