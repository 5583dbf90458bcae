"""What makes Earshot an application of one's own: the manifest, the service worker and the page for no connection."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache

from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

# As the tokens of the style sheets have them: `--canvas` and `--accent`, light.
CANVAS = "#ffffff"
ACCENT = "#006c55"
COMMENT = re.compile(r"(?m)^ *(?://|/\*\*).*\n")  # a line of the service worker that only says something
ICONS = (
    ("img/favicon.svg", "any", "image/svg+xml", "any"),
    ("img/icon-192.png", "192x192", "image/png", "any"),
    ("img/icon-512.png", "512x512", "image/png", "any"),
    ("img/icon-maskable-512.png", "512x512", "image/png", "maskable"),
)


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """The web application manifest (https://www.w3.org/TR/appmanifest/)."""
    start = reverse("rooms:directory")
    data = {
        "id": "/",
        "name": "Earshot",
        "short_name": "Earshot",
        "description": _("Rooms to talk in, on a server of your own."),
        "lang": get_language(),
        "start_url": start,
        "scope": "/",
        "display": "standalone",
        "background_color": CANVAS,
        "theme_color": ACCENT,
        "icons": [
            {"src": static(name), "sizes": sizes, "type": kind, "purpose": purpose}
            for name, sizes, kind, purpose in ICONS
        ],
        "shortcuts": [{"name": _("All rooms"), "url": start}, {"name": _("New room"), "url": reverse("rooms:create")}],
    }
    return JsonResponse(data, content_type="application/manifest+json")


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker. It is at the top, because it sees what is below its own address."""
    return HttpResponse(_service_worker(get_language()), content_type="text/javascript; charset=utf-8")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker shows when the server can't be reached. It is kept, so it knows nobody."""
    return HttpResponse(render_to_string("offline.html"))


@cache
def _service_worker(language: str) -> str:
    """Return the script: another one, which a browser takes over, whenever what it keeps has changed."""
    files = [static(name) for name in _kept_files()]
    page = render_to_string("offline.html")
    version = hashlib.sha256("\n".join([language, page, *files]).encode()).hexdigest()[:12]
    kept = {"version": version, "offline": reverse("offline"), "files": files}
    return COMMENT.sub("", render_to_string("service_worker.js", {"kept": json.dumps(kept)}))


def _kept_files() -> list[str]:
    """Return what the page for no connection is made of; none in development, where names don't change with content."""
    hashed: dict[str, str] = getattr(staticfiles_storage, "hashed_files", {})
    return sorted(name for name in hashed if name.startswith("css/") or name in {"js/offline.js", "img/favicon.svg"})
