"""Every address that the site answers at, as the URL resolver has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern


@dataclass(frozen=True)
class Route:
    name: str
    parameters: tuple[str, ...]
    pattern: str


@cache
def routes() -> dict[str, Route]:
    """Return the named routes by their names; two of one name (allauth's page and ours in its place) are one."""
    found: dict[str, Route] = {}
    for route in _walk(get_resolver().url_patterns, (), ""):
        found.setdefault(route.name, route)
    return found


def _walk(
    patterns: Iterable[URLPattern | URLResolver], names: tuple[str, ...], before: str, outer: tuple[str, ...] = ()
) -> Iterator[Route]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = (*names, pattern.namespace) if pattern.namespace else names
            yield from _walk(pattern.url_patterns, inner, before + str(pattern.pattern), outer + _parameters(pattern))
        elif pattern.name:
            yield Route(":".join((*names, pattern.name)), outer + _parameters(pattern), before + str(pattern.pattern))


def _parameters(pattern: URLPattern | URLResolver) -> tuple[str, ...]:
    if isinstance(pattern.pattern, RegexPattern):
        return tuple(pattern.pattern.regex.groupindex)
    return tuple(pattern.pattern.converters)
