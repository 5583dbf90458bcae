"""What a browser says that it is, in two words."""

from __future__ import annotations

from ipaddress import ip_network

from project.address import unmapped

_PREFIX_6 = 48

# The first that is found counts: many name others to be taken for them.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_and_system(agent: str) -> tuple[str, str]:
    """Return the browser and the system that a User-Agent header names, each empty when it is none that we know."""
    return _first(agent, _BROWSERS), _first(agent, _SYSTEMS)


def _first(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in names if mark in agent), "")


def coarse(address: str) -> str:
    """Return the network of an internet address, which tells an office from another country, and no more than that."""
    number = unmapped(address)
    if number.version == 4:
        return ".".join((*str(number).split(".")[:3], "x"))
    return str(ip_network((number, _PREFIX_6), strict=False))
