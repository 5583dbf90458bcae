"""What the admin's pages check before anything is done. The actions check again, under the room's lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from rooms.forms import RoomDetailsForm
from rooms.models import Membership, Room

Role = Membership.Role

# A row is up to six fields, and Django takes a thousand from one page. Everybody is on the page of memberships.
MEMBERS_SHOWN = 100
MEMBERS_SENT_MAX = 150


class DetailsForm(RoomDetailsForm, forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker alone
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "topic"):
            self.fields[name].widget.attrs["class"] = "vTextField"


class RoomAddForm(DetailsForm):
    class Meta:
        model = Room
        fields = ("name", "topic", "kind")
        help_texts = {
            "kind": gettext_lazy(
                "Everybody here may join a public room; only those you add know of a private one. "
                "A public one can be made private here; a private one is opened by its owners only."
            )
        }


class RoomChangeForm(DetailsForm):
    archived = forms.BooleanField(
        label=gettext_lazy("Archived"),
        required=False,
        help_text=gettext_lazy("An archived room can be read, not changed. Restore it to write, rename or add people."),
    )

    class Meta:
        model = Room
        fields = ("name", "topic", "kind")
        help_texts = {"kind": gettext_lazy("A room that is made private vanishes for all but its members.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["archived"] = self.instance.is_archived
        if self.instance.is_archived:
            for name in ("name", "topic"):
                self.fields[name].widget.attrs["readonly"] = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.is_archived and {"name", "topic", "kind"} & set(self.changed_data):
            raise ValidationError(_("Restore this room first, then change it."), code="archived")
        return cleaned


class PersonSelect(AutocompleteSelect):
    """Shows the form again whatever was sent: Django's own looks any text up as a key, which fails."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [key for key in value if str(key).isdecimal()], attr)


class PersonText(forms.Widget):
    """Says by username whose membership it is, in a row where that can't be changed."""

    def __init__(self, person: User) -> None:
        super().__init__()
        self.person = person

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html("@{}", self.person.username)


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker alone
    class Meta:
        model = Membership
        fields = ("user", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            # Compared with what the page showed: a role given meanwhile elsewhere is not taken back by saving this one.
            self.fields["role"].show_hidden_initial = True
            self.fields["role"].widget.attrs["aria-label"] = self.fields["role"].label
        if "user" in self.fields and self.instance.pk:
            self.fields["user"].disabled = True
            self.fields["user"].widget = PersonText(self.instance.user)

    def clean_user(self) -> User:
        person: User = self.cleaned_data["user"]
        if not self.instance.pk and not person.is_active:
            raise ValidationError(_("This account is closed."), code="inactive")
        return person


class MembershipFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # generic for the checker alone
    """The members of one room, the first `MEMBERS_SHOWN` of them on the page, as the `actor` may change them."""

    actor: User

    def get_queryset(self) -> QuerySet[Membership]:
        if not hasattr(self, "_queryset"):
            members = super().get_queryset()
            self._queryset = members if self.is_bound else members[:MEMBERS_SHOWN]
        return self._queryset

    def add_fields(self, form: forms.ModelForm[Membership], index: int | None) -> None:
        """Give what stands in a table a name of its own: its column's is not one to a screen reader."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = _("Remove")

    def clean(self) -> None:
        super().clean()
        if any(form.instance.pk is None for form in self.initial_forms):
            raise ValidationError(_("The members have changed meanwhile. Load this page again."), code="stale")
        if any(self.errors):
            return
        kept = [form for form in self.forms if form not in self.deleted_forms]
        if self.instance.is_archived and any(form.has_changed() for form in self._added(kept)):
            raise ValidationError(_("Restore this room first, then add people to it."), code="archived")
        if not self.instance.is_public and any(form.instance.user_id == self.actor.pk for form in self._added(kept)):
            raise ValidationError(_("You can't add yourself to a private room. Open it for review."), code="oneself")
        self._refuse_without_owner([form for form in kept if "role" in form.changed_data or form in self.extra_forms])

    def _added(self, kept: list[forms.ModelForm[Membership]]) -> list[forms.ModelForm[Membership]]:
        return [form for form in kept if form in self.extra_forms]

    def _refuse_without_owner(self, given: list[forms.ModelForm[Membership]]) -> None:
        """Look at the roles that are given and at those that are not on the page, for the list may be cut short."""
        before = set(self.instance.memberships.filter(role=Role.OWNER).values_list("user", flat=True))
        gone = {form.instance.user_id for form in self.deleted_forms if form in self.initial_forms}
        demoted = {form.instance.user_id for form in given if form.instance.role != Role.OWNER}
        promoted = {form.instance.user_id for form in given if form.instance.role == Role.OWNER}
        if before and not (before - gone - demoted | promoted):
            raise ValidationError(_("A room needs an owner. Make somebody else an owner first."), code="last_owner")
