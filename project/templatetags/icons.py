"""`{% icon "lock" %}`, in every template: one of `_icon.html`, drawn once. A room's page has some sixty of them."""

from __future__ import annotations

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    return render_to_string("_icon.html", {"name": name})
