"""`{% preloads "js/room.js" %}`: the modules that a script imports, named in the page, so that a browser asks for all
of them at once instead of for each when it has read who imports it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

IMPORTED = re.compile(r"""(?:^|[;}\n])(?:import|export)\b[^;("']*["'](\.[^"']+)["']""")

register = template.Library()


@register.simple_tag
def preloads(name: str) -> SafeString:
    """Return links to all that a script imports, itself left out; none where names don't change with content."""
    hashed: dict[str, str] = getattr(staticfiles_storage, "hashed_files", {})
    return _links(hashed[name]) if name in hashed else SafeString()


@cache
def _links(path: str) -> SafeString:
    root = Path(settings.STATIC_ROOT).resolve()
    found: dict[Path, None] = {}
    waiting = [root / path]
    while waiting:
        file = waiting.pop(0)
        imported = ((file.parent / name).resolve() for name in IMPORTED.findall(file.read_text()))
        for each in (each for each in imported if each not in found):
            found[each] = None
            waiting.append(each)
    urls = ((settings.STATIC_URL + each.relative_to(root).as_posix(),) for each in found)
    return format_html_join("", '<link rel="modulepreload" href="{}">', urls)
