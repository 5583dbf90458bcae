from __future__ import annotations

from typing import Any, cast

import segno
from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.adapter import at_site
from accounts.http import SignedInRequest, signed_in
from invites import access, actions
from invites.forms import MakeForm
from invites.holding import forget, held_invite, hold
from invites.models import Invite
from project import limits
from project.errors import too_many_requests
from project.http import form_page, posted
from rooms.models import Room

DAY = 24 * 3600
LISTED = 100
_MODULE_PIXELS = 6  # of the QR code


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def invites(request: SignedInRequest) -> HttpResponse:
    """Show the invitations that a person may take back, and make another: its link is shown this once."""
    rooms, is_site_open = access.inviting_rooms(request.user), access.may_invite_to_site(request.user)
    asked = {"rooms": [room.pk for room in rooms if room.slug == request.GET.get("room")]}
    form = MakeForm(posted(request), open_rooms=rooms, is_site_open=is_site_open, initial=asked)
    if not form.is_valid():
        return _list(request, form)
    try:
        limits.take(f"invite:{request.user.pk}", times=settings.INVITES_PER_DAY, seconds=DAY)
    except limits.TooOftenError as error:
        return too_many_requests(request, seconds=error.seconds)
    invite, token = actions.make_invite(actor=request.user, **_wishes(form))
    link = at_site(request.build_absolute_uri(reverse("invites:invite", args=[token])))
    if invite.email:
        _mail(request, invite, link)
    return render(request, "invites/invite_made.html", {"invite": invite, "link": link, "picture": _picture(link)})


@require_POST
@signed_in
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    actions.revoke_invite(access.manageable_invite(request.user, pk))
    messages.success(request, _("The invitation is good no more."))
    return redirect("invites:list")


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation to whoever has its link, and let them in; who has no account yet is sent to get one."""
    return _invitation(request, access.good_invite(access.hash_of(token)))


@require_http_methods(["GET", "HEAD", "POST"])
def held(request: HttpRequest) -> HttpResponse:
    """Show the invitation that the person had in hand before they signed in."""
    invite = held_invite(request)
    if invite is None:
        raise Http404
    return _invitation(request, invite)


def _invitation(request: HttpRequest, invite: Invite) -> HttpResponse:
    if request.method != "POST":
        context = {"invite": invite, "rooms": access.open_rooms(invite), "lets_sign_up": access.lets_sign_up(invite)}
        return render(request, "invites/invite.html", context)
    if request.user.is_authenticated:
        return _accept(cast(SignedInRequest, request), invite)
    hold(request, invite)
    if request.POST.get("then") == "signup" and access.lets_sign_up(invite):
        return redirect(f"{reverse('account_signup')}?next={_where(access.open_rooms(invite))}")
    return redirect(f"{reverse('account_login')}?next={reverse('invites:held')}")


def _accept(request: SignedInRequest, invite: Invite) -> HttpResponse:
    rooms = actions.accept_invite(invite.token_hash, actor=request.user)
    forget(request)
    return redirect(_where(rooms))


def _where(rooms: Any) -> str:
    return reverse("messaging:room", args=[rooms[0].slug]) if len(rooms) == 1 else reverse("rooms:directory")


def _wishes(form: MakeForm) -> dict[str, Any]:
    wishes = {"email": "", **form.cleaned_data}
    # What is mailed to one person is for one person.
    return {**wishes, "max_uses": 1} if wishes["email"] else wishes


def _list(request: SignedInRequest, form: MakeForm) -> HttpResponse:
    visible = Prefetch("rooms", Room.objects.visible_to(request.user))
    found = Invite.objects.manageable_by(request.user).select_related("maker").prefetch_related(visible)[:LISTED]
    good = set(Invite.objects.good().filter(pk__in=[each.pk for each in found]).values_list("pk", flat=True))
    listed = [(each, each.pk in good) for each in found]
    return form_page(request, form, "invites/invite_list.html", {"form": form, "listed": listed})


def _mail(request: SignedInRequest, invite: Invite, link: str) -> None:
    try:
        get_adapter().send_mail("invites/email/invite", invite.email, {"invite": invite, "invite_url": link})
    except ImmediateHttpResponse:  # no mail can be sent, and nobody has the link
        actions.revoke_invite(invite)
        raise
    messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": invite.email})


def _picture(link: str) -> str:
    """Return a QR code of the link, as the address of a picture."""
    return segno.make(link, error="m").svg_data_uri(scale=_MODULE_PIXELS, light="#fff", xmldecl=False)
