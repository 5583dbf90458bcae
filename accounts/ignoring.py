"""Whom a person does not want to read: their messages are folded for that person alone, and nobody is told."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from accounts.models import Ignored, User

IGNORED_MAX = 500


def ignored_ids(user: User) -> list[int]:
    return list(Ignored.objects.filter(person=user).values_list("ignored", flat=True)[:IGNORED_MAX])


def ignore(user: User, *, username: str) -> User:
    """Raises `Http404` for nobody, and for oneself. Done twice it is done once."""
    other = get_object_or_404(User.objects.exclude(pk=user.pk), username=username.lower())
    if user.ignores.count() < IGNORED_MAX:
        Ignored.objects.get_or_create(person=user, ignored=other)
    return other


def stop_ignoring(user: User, *, username: str) -> None:
    Ignored.objects.filter(person=user, ignored__username=username.lower()).delete()
