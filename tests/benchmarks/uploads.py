"""Large pictures, all sent at once while people talk."""

from __future__ import annotations

import io
import tempfile
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings
from PIL import Image

from messaging.models import Attachment
from project.files import store
from tests.benchmarks.child import Child
from tests.benchmarks.delivery import Audience, audience
from tests.benchmarks.figures import Figure
from tests.benchmarks.poster import Poster
from tests.benchmarks.stage import Stage

PICTURES = 50
ALONE_SECONDS = 20.0
SAMPLE_SECONDS = 0.05
SIZE = (6_000, 4_000)  # 24 megapixels, as of a good camera
QUALITIES = range(50, 100)
NEARLY = 0.9
MEGABYTE = 1024**2
MEMORY_BAR = 256


def measure(stage: Stage) -> Iterator[Figure]:
    """So many people send a picture of the largest size that is taken, each by a connection of their own."""
    pictures = stage.pick(PICTURES, short=3)
    with audience(stage, pictures) as listening, tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "picture.jpg")
        picture.write_bytes(_picture(settings.UPLOAD_MAX_BYTES))
        stage.say(f"  {picture.stat().st_size / MEGABYTE:.1f} MB each; first people talk alone …")
        with _talk(listening) as alone:
            threading.Event().wait(stage.pick(ALONE_SECONDS, short=2.0))
        stage.say(f"  {pictures} are sent at once …")
        with Child("uploaders") as senders, _Memory(listening.usage.pid) as memory, _talk(listening) as meanwhile:
            cookies = [person.cookie for person in listening.people]
            path = f"/rooms/{listening.room.slug}/files/?name=picture.jpg"
            answer = senders.ask("upload", port=listening.port, path=path, cookies=cookies, file=str(picture))
    _require_all_kept(answer["statuses"], pictures)
    name = f"{pictures} pictures of {settings.UPLOAD_MAX_BYTES // MEGABYTE} MB at once"
    yield Figure(f"{name}, all kept after", answer["seconds"], "s")
    posts = f"POST p99 of {len(meanwhile.times)} meanwhile"
    yield Figure(f"{name}, {posts}", meanwhile.p99, "ms", floor=alone.p99, bar=2.0, against="alone")
    yield Figure(f"{name}, the server's memory at most", memory.server / MEGABYTE, "MB", bar=MEMORY_BAR)
    yield Figure(f"{name}, a decoder's memory at most", memory.decoder / MEGABYTE, "MB", bar=MEMORY_BAR)
    left = sum(path.stat().st_size for path in store.incoming_folder().iterdir())
    yield Figure(f"{name}, left of what was on its way", left, "bytes", bar=0, is_count=True)


def _talk(listening: Audience) -> Poster:
    return Poster(listening.port, f"/rooms/{listening.room.slug}/messages/", listening.people[0])


def _picture(most: int) -> bytes:
    """Return a JPEG of noise, a little smaller than so many bytes."""
    image = Image.merge("RGB", [Image.effect_noise(SIZE, 60) for _ in range(3)])
    found = {}

    def size(quality: int) -> int:
        target = io.BytesIO()
        image.save(target, "JPEG", quality=quality)
        found[quality] = target.getvalue()
        return target.tell()

    best = QUALITIES[bisect_right(QUALITIES, most, key=size) - 1]
    if len(found[best]) < NEARLY * most:
        raise RuntimeError(f"no quality makes a picture of nearly {most:,} bytes: {len(found[best]):,}")
    return found[best]


def _require_all_kept(statuses: list[int], pictures: int) -> None:
    kept = Attachment.objects.filter(kind=Attachment.Kind.IMAGE).exclude(thumbnail_width=None).count()
    if Counter(statuses) != {201: pictures} or kept != pictures:
        raise RuntimeError(f"{pictures} pictures were sent, {kept} kept: {Counter(statuses)}")


class _Memory:
    """The most memory that a server and one of its children have had at once, in bytes, while the block lasts."""

    def __init__(self, pid: int) -> None:
        self.server = 0
        self.decoder = 0
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.server = max(self.server, self._process.memory_info().rss)
            for child in self._process.children():
                with suppress(psutil.NoSuchProcess):
                    self.decoder = max(self.decoder, child.memory_info().rss)
