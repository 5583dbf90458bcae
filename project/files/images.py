"""Images, decoded and encoded anew in a process of their own: what a decoder may do wrong ends there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

CHILD = Path(__file__).with_name("image_child.py")
# So many images at once, however many are sent: the others wait, and hold no thread of a request meanwhile.
WORKERS = ThreadPoolExecutor(max_workers=max(1, min(4, (os.cpu_count() or 1))), thread_name_prefix="images")
_CHILDREN: set[subprocess.Popen[bytes]] = set()
_REFUSED = 3  # the child's exit status when it says why


class ImageRefusedError(Exception):
    """The image is not kept; as a text it is a sentence for whoever sent it, in the language of the moment."""

    def __str__(self) -> str:
        return _sentence(str(self.args[0]))


@dataclass(frozen=True)
class Picture:
    """An image made anew. `thumbnail` is the size of its thumbnail, or None if it is small enough itself."""

    content_type: str
    width: int
    height: int
    is_animated: bool
    thumbnail: tuple[int, int] | None


def remake(source: Path, target: Path, thumbnail: Path) -> Picture:
    """Write an image without its metadata, and a thumbnail if it is large. Raises `ImageRefusedError`."""
    said = _run({"source": str(source), "target": str(target), "thumbnail": str(thumbnail)})
    size = said["thumbnail"]
    return Picture(
        content_type=str(said["content_type"]),
        width=int(said["width"]),
        height=int(said["height"]),
        is_animated=bool(said["animated"]),
        thumbnail=(int(size[0]), int(size[1])) if size else None,
    )


def crop(source: Path, target: Path, square: Mapping[str, float | None], *, pixels: int) -> None:
    """Write a square of an image as WebP. Its `left`, `top` and `side` are in parts of the image's shorter side.

    What is None is chosen here: the largest square, in the middle. Raises `ImageRefusedError`.
    """
    _run({"source": str(source), "target": str(target), "crop": dict(square), "pixels": pixels})


def _run(job: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-I", str(CHILD), json.dumps({**job, "limits": settings.IMAGE_LIMITS})]
    with subprocess.Popen(command, stdout=PIPE, stderr=DEVNULL, stdin=DEVNULL, cwd="/", env={}) as child:
        _CHILDREN.add(child)
        try:
            output, _errors = child.communicate(timeout=settings.IMAGE_LIMITS["wall_seconds"])
        except subprocess.TimeoutExpired:
            child.kill()
            raise ImageRefusedError("slow") from None
        finally:
            _CHILDREN.discard(child)
    if child.returncode == _REFUSED:
        raise ImageRefusedError(output.decode("ascii", "replace"))
    if child.returncode != 0:
        # Killed for the time it took, or out of memory where nothing could be said any more.
        raise ImageRefusedError("slow" if child.returncode < 0 else "memory")
    said: dict[str, Any] = json.loads(output)
    return said


def stop() -> None:
    """End all work on images: whoever waits for it is gone. A process that ends would otherwise wait for its own."""
    WORKERS.shutdown(wait=False, cancel_futures=True)
    for child in tuple(_CHILDREN):
        child.kill()


def _sentence(reason: str) -> str:
    limits = settings.IMAGE_LIMITS
    return {
        "pixels": _("This image is too large: use at most %(count)d megapixels.")
        % {"count": limits["pixels"] // 1_000_000},
        "side": _("This image is too long: use at most %(count)d pixels on a side.") % {"count": limits["side"]},
        "frames": _("This animation is too long: use at most %(count)d pictures.") % {"count": limits["frames"]},
        "memory": _("This image is too large to be shown here. Send it in a ZIP file, or make it smaller."),
        "slow": _("This image takes too long to read. Send it in a ZIP file, or make it smaller."),
        "disk": _("This image could not be written. Try again in a moment."),
    }.get(reason, _("This image is damaged: it can't be read."))
