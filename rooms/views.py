from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.forms import Form
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import SignedInRequest, signed_in
from project.http import form_page, json_errors, posted, wants_json
from rooms import access, actions
from rooms.forms import (
    DeletionForm,
    InviteForm,
    KindForm,
    PolicyForm,
    RaidForm,
    ReadForm,
    RoleForm,
    RoomDetailsForm,
    RoomForm,
    WordsForm,
)
from rooms.models import Ban, Membership, Mute, Raid, Room, WordFilter
from rooms.pages import refusals_lead_to

NAMED_MAX = 8


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
    access.refuse_guest(request.user)
    form = RoomForm(posted(request))
    if not form.is_valid():
        return form_page(request, form, "rooms/room_form.html", {"form": form, "room": None})
    room = actions.create_room(**form.cleaned_data, actor=request.user)
    return redirect("messaging:room", room.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def settings(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.moderated_room(request.user, slug)
    form = _details_form(membership.room, posted(request))
    if not form.is_valid():
        return _settings_page(request, membership, form)
    try:
        actions.update_room(membership.room, **form.cleaned_data, actor=request.user)
    except ValidationError as error:
        form.add_error(None, error)
        return _settings_page(request, membership, form)
    return redirect("messaging:room", slug)


@require_POST
@signed_in
@refusals_lead_to("rooms:settings")
def kind(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.owned_room(request.user, slug)
    form = KindForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, membership, form)
    actions.change_kind(membership.room, kind=form.cleaned_data["kind"], actor=request.user)
    return redirect("rooms:settings", slug)


@require_POST
@signed_in
@refusals_lead_to("rooms:settings")
def policy(request: SignedInRequest, slug: str) -> HttpResponse:
    """Say who may do what in the room."""
    membership = access.owned_room(request.user, slug)
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, membership, form)
    actions.change_policy(membership.room, actor=request.user, **form.cleaned_data)
    return redirect("rooms:settings", slug)


@require_POST
@signed_in
def delete(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.owned_room(request.user, slug)
    form = DeletionForm(request.POST, room=membership.room)
    if not form.is_valid():
        return _settings_page(request, membership, form)
    actions.delete_room(membership.room, actor=request.user)
    messages.success(request, _("%(room)s was deleted.") % {"room": membership.room})
    return redirect("rooms:directory")


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
@refusals_lead_to("messaging:room")
def join(request: SignedInRequest, slug: str) -> HttpResponse:
    room, _membership = access.visible_room(request.user, slug)
    actions.join_room(room, actor=request.user)
    return redirect("messaging:room", slug)


@require_POST
@signed_in
@refusals_lead_to("rooms:members")
def leave(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    actions.remove_member(membership, actor=request.user)
    messages.success(request, _("You left %(room)s.") % {"room": membership.room})
    return redirect("rooms:directory")


@require_safe
@signed_in
def members(request: SignedInRequest, slug: str) -> HttpResponse:
    """The room's people; as JSON the first few whose names begin with `begins`, for whoever is writing to them."""
    room, membership = access.visible_room(request.user, slug)
    if wants_json(request):
        found = room.memberships.in_order().named(request.GET.get("begins", ""))[:NAMED_MAX]
        people = [{"username": each.user.username, "name": each.user.display_name} for each in found]
        return JsonResponse({"members": people})
    return render(request, "rooms/room_members.html", _members_context(room, membership, InviteForm()))


@require_POST
@signed_in
def invite(request: SignedInRequest, slug: str) -> HttpResponse:
    membership = access.inviting_room(request.user, slug)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            actions.add_member(membership.room, member=form.cleaned_data["username"], actor=request.user)
        except ValidationError as error:
            form.add_error("username", error)
        else:
            return redirect("rooms:members", slug)
    return form_page(request, form, "rooms/room_members.html", _members_context(membership.room, membership, form))


@require_POST
@signed_in
@refusals_lead_to("rooms:members")
def remove(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    theirs = access.removable_member(access.moderated_room(request.user, slug), username)
    actions.remove_member(theirs, actor=request.user)
    return redirect("rooms:members", slug)


@require_POST
@signed_in
@refusals_lead_to("rooms:members")
def role(request: SignedInRequest, slug: str, username: str) -> HttpResponse:
    theirs = access.other_member(access.owned_room(request.user, slug), username)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise ValidationError(_("There is no such role."))
    actions.change_role(theirs, role=form.cleaned_data["role"], actor=request.user)
    return redirect("rooms:members", slug)


@require_POST
@signed_in
def read(request: SignedInRequest, slug: str) -> HttpResponse:
    return _mark(request, slug, actions.mark_read)


@require_POST
@signed_in
def unread(request: SignedInRequest, slug: str) -> HttpResponse:
    """Have the room count as unread from a message on."""
    return _mark(request, slug, actions.mark_unread)


def _mark(request: SignedInRequest, slug: str, mark: Callable[..., object]) -> HttpResponse:
    membership = access.joined_room(request.user, slug)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return json_errors(form.errors, 400)
    mark(membership, position=form.cleaned_data["position"])
    return HttpResponse(status=204)


def _members_context(room: Room, membership: Membership | None, form: InviteForm) -> dict[str, object]:
    restrictions = {
        "bans": Ban.objects.in_force().filter(room=room).select_related("user", "by"),
        "mutes": Mute.objects.in_force().filter(room=room).select_related("user", "by"),
    }
    return {
        "room": room,
        "membership": membership,
        "memberships": room.memberships.in_order(),
        **(restrictions if membership and membership.is_moderator else {}),
        "may_invite": membership is not None and access.may_invite(membership),
        "invite_form": form,
    }


def _settings_page(request: SignedInRequest, membership: Membership, sent: Form) -> HttpResponse:
    """Show all of a room's settings, the form that was sent with what is wrong with it."""
    room = membership.room
    words = WordFilter.objects.filter(room=room).values_list("words", flat=True)
    forms: dict[str, Form] = {
        "form": _details_form(room),
        "kind_form": KindForm(initial={"kind": room.kind}),
        "policy_form": PolicyForm(initial={name: getattr(room, name) for name in actions.POLICY}),
        "raid_form": RaidForm(),
        "words_form": WordsForm(initial={"words": "\n".join(words)}),
        "deletion_form": DeletionForm(room=room),
    }
    name = next(name for name, form in forms.items() if type(form) is type(sent))
    raid = Raid.objects.filter(room=room, expires_at__gt=Now()).first()
    context: dict[str, object] = {
        **forms,
        name: sent,
        "sent_form": sent,
        "room": room,
        "membership": membership,
        "raid": raid,
    }
    return form_page(request, sent, "rooms/room_settings.html", context)


def _details_form(room: Room, sent: QueryDict | None = None) -> RoomDetailsForm:
    return RoomDetailsForm(sent, initial={"name": room.name, "topic": room.topic})
