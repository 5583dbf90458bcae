from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rooms import actions
from rooms.admin_bans import BanAdmin, DeletedRoomAdmin
from rooms.admin_forms import (
    MEMBERS_SENT_MAX,
    MEMBERS_SHOWN,
    MembershipForm,
    MembershipFormSet,
    PersonSelect,
    RoomAddForm,
    RoomChangeForm,
)
from rooms.admin_restrictions import MuteAdmin, RaidAdmin, ReviewAdmin, WordFilterAdmin
from rooms.admin_rights import RefusalsAsMessages, RunByRoomManagers, actor, shown_time
from rooms.models import Ban, DeletedRoom, Event, Membership, Mute, Raid, Review, Room, WordFilter

Role = Membership.Role
SHOWN = ("slug", "member_list", "message_list", "last_activity")


class MembershipInline(RunByRoomManagers, admin.TabularInline):  # type: ignore[type-arg]  # generic for the checker alone
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    fields = ("user", "role", "joined")
    readonly_fields = ("joined",)
    autocomplete_fields = ("user",)
    extra = 0
    verbose_name = gettext_lazy("member")
    verbose_name_plural = format_lazy(gettext_lazy("members (up to {number}, owners first)"), number=MEMBERS_SHOWN)

    @admin.display(description=gettext_lazy("joined"))
    def joined(self, membership: Membership) -> str:
        return shown_time(membership.joined_at) if membership.pk else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return Membership.objects.in_order()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["widget"] = PersonSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_formset(self, request: HttpRequest, obj: Room | None = None, **kwargs: Any) -> Any:
        found = super().get_formset(request, obj, absolute_max=MEMBERS_SENT_MAX, **kwargs)
        formset = cast("type[MembershipFormSet]", found)
        formset.actor = actor(request)
        if "user" in formset.form.base_fields:
            person = formset.form.base_fields["user"].widget
            person.can_add_related = person.can_change_related = person.can_view_related = False
        return formset

    def get_max_num(self, request: HttpRequest, obj: Room | None = None, **kwargs: Any) -> int:
        return 0 if obj and obj.is_archived else MEMBERS_SENT_MAX


class ArchivedFilter(admin.SimpleListFilter):
    title = gettext_lazy("archived")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("In use")), ("yes", _("Archived"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> QuerySet[Room] | None:
        if self.value() in {"no", "yes"}:
            return queryset.filter(archived_at__isnull=self.value() == "no")
        return None


@admin.register(Room)
class RoomAdmin(RefusalsAsMessages):
    form = RoomChangeForm
    list_display = ("name", "kind", "member_list", "message_list", "last_activity", "archived_at")
    list_filter = ("kind", ArchivedFilter)
    search_fields = ("name", "slug", "topic")
    ordering = ("name", "pk")
    list_per_page = 50
    show_full_result_count = False
    actions = ("archive", "restore")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        newest = Event.objects.filter(room=OuterRef("pk"), position=OuterRef("last_position"))
        posted = Event.objects.filter(room=OuterRef("pk"), kind=Event.Kind.MESSAGE_CREATED)
        count = posted.order_by().values("room").annotate(number=Count("pk")).values("number")
        rooms = Room.objects.with_members().annotate(
            last_activity=Subquery(newest.values("created_at")), message_count=Coalesce(Subquery(count), 0)
        )
        return rooms.order_by(*self.ordering)

    @admin.display(description=gettext_lazy("members"))
    def member_list(self, room: Any) -> str:
        where = reverse("admin:rooms_membership_changelist", query={"room__id__exact": room.pk})
        return format_html('<a href="{}">{}</a>', where, room.member_count)

    @admin.display(description=gettext_lazy("messages"))
    def message_list(self, room: Any) -> str:
        if not room.is_public:
            return str(room.message_count)
        where = reverse("admin:messaging_message_changelist", query={"room": room.pk})
        return format_html('<a href="{}">{}</a>', where, room.message_count)

    @admin.display(description=gettext_lazy("last activity"), ordering=F("last_activity").desc())
    def last_activity(self, room: Any) -> str:
        return shown_time(room.last_activity)

    def view_on_site(self, room: Room) -> str | None:
        return reverse("messaging:room", args=[room.slug]) if room.is_public else None

    def has_delete_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        return False  # they are archived; only a room's owners delete it

    def get_fields(self, request: HttpRequest, obj: Room | None = None) -> Any:
        if obj is None:
            return ("name", "topic", "kind")
        archived = "archived" if self.has_change_permission(request, obj) else "archived_at"
        return ("name", "topic", "kind", archived, *SHOWN)

    def get_readonly_fields(self, request: HttpRequest, obj: Room | None = None) -> Any:
        if obj is None:
            return ()
        # Opening a private room would open to the admin what was said in it: only its owners do, on its own page.
        return (*SHOWN, "archived_at") if obj.is_public else (*SHOWN, "archived_at", "kind")

    def get_form(self, request: HttpRequest, obj: Room | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = RoomAddForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Room | None) -> list[Any]:
        return [MembershipInline] if obj else []

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        if not change:
            room = actions.create_room(name=obj.name, topic=obj.topic, kind=obj.kind, actor=actor(request))
            obj.pk, obj.slug = room.pk, room.slug
            return
        if {"name", "topic"} & set(form.changed_data):
            actions.update_room(obj, name=obj.name, topic=obj.topic, actor=actor(request))
        if "kind" in form.changed_data:
            actions.change_kind(obj, kind=obj.kind, actor=actor(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Make the changes in an order in which the room has an owner after each of them."""
        formset.save(commit=False)
        by = actor(request)
        for new in formset.new_objects:
            actions.add_member(new.room, member=new.user, role=new.role, actor=by)
        changed = [membership for membership, _fields in formset.changed_objects]
        for membership in sorted(changed, key=lambda changed: changed.role != Role.OWNER):
            actions.change_role(membership, role=membership.role, actor=by)
        for gone in formset.deleted_objects:
            actions.remove_member(gone, actor=by)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "archived" in form.changed_data:
            act = actions.archive_room if form.cleaned_data["archived"] else actions.restore_room
            act(form.instance, actor=actor(request))

    def response_add(self, request: HttpRequest, obj: Room, post_url_continue: str | None = None) -> HttpResponse:
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, _("The room was created. Add its members below."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:rooms_room_change", args=[obj.pk]))

    @admin.action(description=gettext_lazy("Archive selected rooms"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        rooms = [room for room in queryset if not room.is_archived]
        self._act_on(request, rooms, actions.archive_room, _("Archived."))
        text = ngettext("%(count)d room was archived.", "%(count)d rooms were archived.", len(rooms))
        self.message_user(request, text % {"count": len(rooms)}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Restore selected rooms"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        rooms = [room for room in queryset if room.is_archived]
        self._act_on(request, rooms, actions.restore_room, _("Restored."))
        text = ngettext("%(count)d room was restored.", "%(count)d rooms were restored.", len(rooms))
        self.message_user(request, text % {"count": len(rooms)}, messages.SUCCESS)

    def _act_on(self, request: HttpRequest, rooms: Iterable[Room], act: Callable[..., Room], note: str) -> None:
        for room in rooms:
            with transaction.atomic():
                act(room, actor=actor(request))
                self.log_change(request, room, note)


@admin.register(Membership)
class MembershipAdmin(RunByRoomManagers, RefusalsAsMessages):
    """Everybody in every room, for rooms with more people than their own page shows."""

    list_display = ("user", "username", "room", "role", "joined_at")
    list_filter = ("role",)
    list_select_related = ("user", "room")
    search_fields = ("user__username", "user__name", "room__name")
    ordering = ("-pk",)
    show_full_result_count = False
    actions = None
    fields = ("user", "username", "room", "role", "joined_at")
    readonly_fields = ("user", "username", "room", "joined_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return Membership.objects.in_force().order_by(*self.ordering)

    @admin.display(description=gettext_lazy("username"), ordering="user__username")
    def username(self, membership: Membership) -> str:
        return membership.user.username

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # people are added on the room's page

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        actions.change_role(obj, role=obj.role, actor=actor(request))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        actions.remove_member(obj, actor=actor(request))


admin.site.register(Ban, BanAdmin)
admin.site.register(Mute, MuteAdmin)
admin.site.register(Raid, RaidAdmin)
admin.site.register(Review, ReviewAdmin)
admin.site.register(WordFilter, WordFilterAdmin)
admin.site.register(DeletedRoom, DeletedRoomAdmin)
