"""From where the request that is being answered came, as coarse as it is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from allauth.core.internal.httpkit import get_client_ip
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_PREFIXES = {4: 24, 6: 48}  # what a household or an office has, not one device
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def remember_request(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: what is done in a request can be told with its address."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


def client_address(request: HttpRequest) -> str:
    """Return the address that a request came from, as far as the trusted proxies tell; else that of the connection."""
    try:
        return get_client_ip(request) or ""
    except ImproperlyConfigured:  # fewer proxies have forwarded it than TRUSTED_PROXIES says
        return str(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str:
    """Return the address that a request came from, of IPv6 the network that one customer has the whole of."""
    text = client_address(request).partition("%")[0]
    try:
        address = unmapped(text)
    except ValueError:
        return text
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def coarse_address() -> str:
    """Return the network that the request came from, such as 192.0.2.0/24, or nothing outside of a request."""
    request = _request.get()
    return coarse(client_address(request)) if request else ""


def coarse(address: str | None) -> str:
    try:
        number = unmapped(address or "")
    except ValueError:
        return ""
    return str(ip_network((number, _PREFIXES[number.version]), strict=False))


def unmapped(text: str) -> IPv4Address | IPv6Address:
    """Return an address; of IPv4 also where a socket for both kinds writes it as ::ffff:192.0.2.1.

    Raises `ValueError` for what is none.
    """
    address = ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
