"""What allauth is told of the OpenID Connect provider that the environment names."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

PROVIDER_ID = "site"  # in the addresses, also of those that the provider is told to send people back to


def providers(name: str, issuer: str, client_id: str, secret: str) -> dict[str, Any]:
    """Return SOCIALACCOUNT_PROVIDERS: one provider, or none without an issuer."""
    if not issuer:
        return {}
    app = {
        "provider_id": PROVIDER_ID,
        "name": name,
        "client_id": client_id,
        "secret": secret,
        "settings": {"server_url": issuer},
    }
    return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}


def origin(issuer: str) -> list[str]:
    """Return where forms may lead besides this site: a browser checks each redirect that follows."""
    parts = urlsplit(issuer)
    return [f"{parts.scheme}://{parts.netloc}"] if issuer else []
