from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit import AuditEntry
from accounts.http import SignedInRequest, signed_in
from project.http import form_page, posted
from rooms import access, moderation
from rooms.forms import BanForm, RaidForm, WordsForm
from rooms.pages import refusals_lead_to
from rooms.restrictions import Restriction

AUDIT_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@refusals_lead_to("rooms:members")
def ban(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    return _restrict(request, slug, username, moderation.ban, "rooms/ban_form.html")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@refusals_lead_to("rooms:members")
def mute(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    return _restrict(request, slug, username, moderation.mute, "rooms/mute_form.html")


def _restrict(
    request: SignedInRequest, slug: str, username: str, restrict: Callable[..., Restriction], template: str
) -> HttpResponse:
    membership = access.moderated_room(request.user, slug)
    theirs = access.bannable_member(membership, username)
    form = BanForm(posted(request))
    if not form.is_valid():
        context = {"form": form, "room": theirs.room, "membership": membership, "person": theirs.user}
        return form_page(request, form, template, context)
    reason = form.cleaned_data["reason"]
    restrict(theirs.room, user=theirs.user, reason=reason, expires_at=form.expires_at, actor=request.user)
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def lift(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    found = access.banned_person(access.moderated_room(request.user, slug), username)
    moderation.lift_ban(found, actor=request.user)
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def unmute(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    found = access.muted_person(access.moderated_room(request.user, slug), username)
    moderation.lift_mute(found, actor=request.user)
    return redirect("rooms:members", slug)


@require_POST
@signed_in
@refusals_lead_to("rooms:settings")
def guard(request: SignedInRequest, slug: str) -> HttpResponse:
    """Switch the raid guard on."""
    membership = access.owned_room(request.user, slug)
    form = RaidForm(request.POST)
    if not form.is_valid():
        raise ValidationError(_("There is no such choice."))
    hours = form.cleaned_data["hours"]
    moderation.guard_against_raid(membership.room, hours=hours, expires_at=form.expires_at, actor=request.user)
    return redirect("rooms:settings", slug)


@require_POST
@signed_in
def unguard(request: SignedInRequest, slug: str) -> HttpResponse:
    raid = access.guarded_room(access.owned_room(request.user, slug))
    moderation.end_raid(raid, actor=request.user)
    return redirect("rooms:settings", slug)


@require_POST
@signed_in
@refusals_lead_to("rooms:settings")
def words(request: SignedInRequest, slug: str) -> HttpResponse:
    """Say what is not let through."""
    membership = access.owned_room(request.user, slug)
    form = WordsForm(request.POST)
    if not form.is_valid():
        raise ValidationError(list(form.errors["words"]))
    moderation.set_word_filter(membership.room, words=form.cleaned_data["words"], actor=request.user)
    return redirect("rooms:settings", slug)


@require_safe
@signed_in
def audit(request: SignedInRequest, slug: str) -> HttpResponse:
    """What was done in the room, for its owners."""
    membership = access.owned_room(request.user, slug)
    entries = AuditEntry.objects.filter(room_id=membership.room_id)
    page = Paginator(entries, AUDIT_PAGE).get_page(request.GET.get("page"))
    context = {"room": membership.room, "membership": membership, "page": page}
    return render(request, "rooms/room_audit.html", context)
