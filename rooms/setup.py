"""The first minute of a site: one link, good once, makes its first owner and the first room."""

from __future__ import annotations

import hashlib
import secrets

from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actions import create_owner
from accounts.models import User
from project.http import form_page, posted
from rooms.actions import add_member, create_room
from rooms.forms import SetupForm
from rooms.models import Membership, OwnerLink, Room

_TOKEN_BYTES = 32


def owner_link_path() -> str | None:
    """Return the path of a new owner link, which replaces any earlier one, or None once the site has an owner."""
    if _has_owner():
        return None
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with transaction.atomic():
        OwnerLink.objects.all().delete()
        OwnerLink.objects.create(token_hash=_hash(token))
    return reverse("rooms:setup", args=[token])


@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    if _has_owner() or not OwnerLink.objects.filter(token_hash=_hash(token)).exists():
        raise Http404
    form = SetupForm(posted(request))
    if form.is_valid():
        try:
            owner = open_site(token, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            login(request, owner)
            return redirect("messaging:room", Room.objects.of(owner).earliest("pk").slug)
    return form_page(request, form, "rooms/setup.html", {"form": form})


def open_site(token: str, *, name: str, email: str, password: str) -> User:
    """Use an owner link up: create the owner and the room General, under the link's row lock.

    Raises `Http404` when the link has been used, by another request in the same instant too.
    """
    with transaction.atomic():
        link = OwnerLink.objects.select_for_update().filter(token_hash=_hash(token)).first()
        if link is None or _has_owner():
            raise Http404
        owner = create_owner(name=name, email=email, password=password)
        _own_general(owner)
        OwnerLink.objects.all().delete()
        return owner


def _own_general(owner: User) -> None:
    general = Room.objects.current().filter(slug="general", kind=Room.Kind.PUBLIC).first()
    if general:  # `manage.py demo` has been here
        add_member(general, member=owner, actor=owner, role=Membership.Role.OWNER)
    else:
        create_room(name=_("General"), topic=_("For everyone and everything"), kind=Room.Kind.PUBLIC, actor=owner)


def _has_owner() -> bool:
    return User.objects.filter(is_superuser=True).exists()


def _hash(token: str) -> str:
    # The token has 256 random bits: a fast hash keeps it from being read out of the table.
    return hashlib.sha256(token.encode()).hexdigest()
