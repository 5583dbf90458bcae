from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from project.http import json_errors, wants_json
from rooms import access, actions
from rooms.forms import InviteForm, ReadForm, RoleForm, RoomDetailsForm, RoomForm
from rooms.models import Membership, Room


@require_safe
@signed_in
def directory(request: SignedInRequest) -> HttpResponse:
    mine = Membership.objects.filter(room=OuterRef("pk"), user=request.user)
    rooms = Room.objects.visible_to(request.user).with_members().annotate(is_member=Exists(mine))
    context = {"rooms": rooms.filter(archived_at=None), "archived": rooms.exclude(archived_at=None)}
    return render(request, "rooms/room_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def create(request: SignedInRequest) -> HttpResponse:
    form = RoomForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _form_page(request, "rooms/room_form.html", {"form": form, "room": None})
    room = actions.create_room(**form.cleaned_data, actor=request.user)
    return redirect("messaging:room", room.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def settings(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.moderated_room(request.user, slug)
    room = membership.room
    sent = request.POST if request.method == "POST" else None
    form = RoomDetailsForm(sent, initial={"name": room.name, "topic": room.topic})
    context = {"form": form, "room": room, "membership": membership}
    if not form.is_valid():
        return _form_page(request, "rooms/room_settings.html", context)
    try:
        actions.update_room(room, **form.cleaned_data, actor=request.user)
    except ValidationError as error:
        form.add_error(None, error)
        return _form_page(request, "rooms/room_settings.html", context)
    return redirect("messaging:room", slug)


@require_POST
@signed_in
def archive(request: SignedInRequest, slug: str) -> HttpResponse:
    actions.archive_room(access.owned_room(request.user, slug).room, actor=request.user)
    return redirect("rooms:settings", slug)


@require_POST
@signed_in
def restore(request: SignedInRequest, slug: str) -> HttpResponse:
    actions.restore_room(access.owned_room(request.user, slug).room, actor=request.user)
    return redirect("rooms:settings", slug)


@require_POST
@signed_in
def join(request: SignedInRequest, slug: str) -> HttpResponse:
    room, _membership = access.visible_room(request.user, slug)
    try:
        actions.join_room(room, actor=request.user)
    except ValidationError as error:
        return _refusal(request, error, back_to=("messaging:room", slug))
    return redirect("messaging:room", slug)


@require_POST
@signed_in
def leave(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    try:
        actions.remove_member(membership, actor=request.user)
    except ValidationError as error:
        return _refusal(request, error, back_to=("rooms:members", slug))
    messages.success(request, _("You left %(room)s.") % {"room": membership.room})
    return redirect("rooms:directory")


@require_safe
@signed_in
def members(request: SignedInRequest, slug: str) -> HttpResponse:
    room, membership = access.visible_room(request.user, slug)
    return render(request, "rooms/room_members.html", _members_context(room, membership, InviteForm()))


@require_POST
@signed_in
def invite(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.moderated_room(request.user, slug)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            actions.add_member(membership.room, member=form.cleaned_data["username"], actor=request.user)
        except ValidationError as error:
            form.add_error("username", error)
        else:
            return redirect("rooms:members", slug)
    return _form_page(request, "rooms/room_members.html", _members_context(membership.room, membership, form))


@require_POST
@signed_in
def remove(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    theirs = access.removable_member(access.moderated_room(request.user, slug), username)
    try:
        actions.remove_member(theirs, actor=request.user)
    except ValidationError as error:
        return _refusal(request, error, back_to=("rooms:members", slug))
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def role(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    theirs = access.other_member(access.owned_room(request.user, slug), username)
    form = RoleForm(request.POST)
    try:
        if not form.is_valid():
            raise ValidationError(_("There is no such role."))
        actions.change_role(theirs, role=form.cleaned_data["role"], actor=request.user)
    except ValidationError as error:
        return _refusal(request, error, back_to=("rooms:members", slug))
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def read(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return json_errors(form.errors, 400)
    actions.mark_read(membership, position=form.cleaned_data["position"])
    return HttpResponse(status=204)


def _members_context(room: Room, membership: Membership | None, form: InviteForm) -> dict[str, object]:
    return {
        "room": room,
        "membership": membership,
        "memberships": room.memberships.in_order(),
        "invite_form": form,
    }


def _form_page(request: SignedInRequest, template: str, context: dict[str, object]) -> HttpResponse:
    """Show a form's page: 200 when it is asked for, 400 (with the errors) when it was sent."""
    form = context.get("invite_form") or context["form"]
    if request.method == "POST" and wants_json(request):
        return json_errors(form.errors, 400)  # type: ignore[attr-defined]
    return render(request, template, context, status=400 if request.method == "POST" else 200)


def _refusal(request: SignedInRequest, error: ValidationError, *, back_to: tuple[str, str]) -> HttpResponse:
    """Say why nothing was done: 400 with a page that leads back, or JSON."""
    if wants_json(request):
        return json_errors({"__all__": error.messages}, 400)
    context = {"status": 400, "message": " ".join(error.messages), "back_to": back_to}
    return render(request, "error.html", context, status=400)
