from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit import AuditEntry
from accounts.http import SignedInRequest, signed_in
from rooms import access, moderation
from rooms.forms import BanForm, RaidForm, WordsForm
from rooms.pages import form_page, refusal

AUDIT_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def ban(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    membership = access.moderated_room(request.user, slug)
    theirs = access.bannable_member(membership, username)
    form = BanForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "room": theirs.room, "membership": membership, "person": theirs.user}
        return form_page(request, "rooms/ban_form.html", context)
    reason = form.cleaned_data["reason"]
    try:
        moderation.ban(theirs.room, user=theirs.user, reason=reason, expires_at=form.expires_at, actor=request.user)
    except ValidationError as error:
        return refusal(request, error, back_to=("rooms:members", slug))
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def lift(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    found = access.banned_person(access.moderated_room(request.user, slug), username)
    moderation.lift_ban(found, actor=request.user)
    return redirect("rooms:members", slug)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mute(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    membership = access.moderated_room(request.user, slug)
    theirs = access.bannable_member(membership, username)
    form = BanForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "room": theirs.room, "membership": membership, "person": theirs.user}
        return form_page(request, "rooms/mute_form.html", context)
    reason = form.cleaned_data["reason"]
    try:
        moderation.mute(theirs.room, user=theirs.user, reason=reason, expires_at=form.expires_at, actor=request.user)
    except ValidationError as error:
        return refusal(request, error, back_to=("rooms:members", slug))
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def unmute(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    found = access.muted_person(access.moderated_room(request.user, slug), username)
    moderation.lift_mute(found, actor=request.user)
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def guard(request: SignedInRequest, slug: str) -> HttpResponse:
    """Switch the raid guard on."""
    membership = access.owned_room(request.user, slug)
    form = RaidForm(request.POST)
    if not form.is_valid():
        return refusal(request, ValidationError(_("There is no such choice.")), back_to=("rooms:settings", slug))
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
def words(request: SignedInRequest, slug: str) -> HttpResponse:
    """Say what is not let through."""
    membership = access.owned_room(request.user, slug)
    form = WordsForm(request.POST)
    if not form.is_valid():
        return refusal(request, ValidationError(list(form.errors["words"])), back_to=("rooms:settings", slug))
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
