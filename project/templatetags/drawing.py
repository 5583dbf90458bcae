"""What is drawn once and then shown again and again: most of a room's page but its messages is the same for all."""

from __future__ import annotations

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Return `_icon.html` of this name. A room's page has some sixty of them."""
    return render_to_string("_icon.html", {"name": name})


@register.simple_tag
def drawn_once(name: str) -> SafeString:
    """Return a template that depends on nothing but the language: it is given no context."""
    return _drawn(name, get_language())


@cache
def _drawn(name: str, _language: str | None) -> SafeString:
    return render_to_string(name)
