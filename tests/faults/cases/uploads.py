"""The folder of uploads: full, read-only, gone. Played with a server of its own, whose uploads have a small volume."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from messaging.models import Attachment
from tests.faults import wire
from tests.faults.cases.storage import filled
from tests.faults.load import Load
from tests.faults.site import in_thread
from tests.faults.stage import Control, Fault, NotHere, Stage

VOLUME = "16m"
FILE_BYTES = 1024 * 1024


async def uploads_unwritable(stage: Stage) -> None:
    faults: list[Callable[[Path], AbstractContextManager[None]]] = [volume_full, read_only, missing]
    with small_volume() as folder:
        async with stage.site.another_server(UPLOADS=str(folder)) as server, stage.load(port=server.port) as load:
            sent = [await upload(load)]
            for fault in faults:
                with fault(folder):
                    await load.goes_on(stage.lasting(1, 10))
                    sent.append(await upload(load))
                sent.append(await upload(load))
            refused_texts = sum(count for status, count in load.statuses.items() if status not in {200, 201, 429})
            taken = [each for each in sent if each.key]
            stage.find("lost", [f"file {each.key} was taken" for each in taken if not await is_kept(load, each)])
        keys = {each.key for each in taken}
        halves = await in_thread(half_kept, folder, load.rooms[0])
        stage.find("phantom", [f"{each} is left of a file that was refused" for each in halves if each not in keys])
        # The look must be able to see one.
        next(path for path in folder.glob("??/??/*") if not path.suffix).unlink()
        seen = len(await in_thread(half_kept, folder, load.rooms[0])) - len(halves)
    statuses = [each.status for each in sent]
    stage.promise("files are refused with 503 meanwhile", statuses[1::2] == [503] * len(faults), statuses[1::2])
    stage.promise("and taken before and afterwards", statuses[::2] == [201] * (len(faults) + 1), statuses[::2])
    stage.promise("text goes on", refused_texts == 0, f"{refused_texts} posts were refused")
    stage.promise("no row is without its file, no file without its row", halves == [], halves)
    stage.promise("a file that is taken away is missed", seen == 1, seen)


@dataclass(frozen=True)
class Sent:
    """A file that was sent, and how that was answered; `key` is what it was taken under."""

    content: bytes
    status: int
    key: str


async def upload(load: Load) -> Sent:
    path = f"/rooms/{load.rooms[0]}/files/?name=random.bin"
    content = os.urandom(FILE_BYTES)
    reply = await wire.send(load.port, path, load.posters[0].session, content)
    return Sent(content, reply.status, reply.json()["id"] if reply.status == 201 else "")


async def is_kept(load: Load, sent: Sent) -> bool:
    reply = await wire.get(load.port, f"/files/{sent.key}/", load.posters[0].session)
    return reply.status == 200 and reply.body == sent.content


def half_kept(folder: Path, room: str) -> list[str]:
    """Return the keys of which there is a row or a file, but not both, and what is left half received."""
    rows = dict(Attachment.objects.filter(room__slug=room).values_list("key", "size"))
    files = {path.name: path.stat().st_size for path in folder.glob("??/??/*")}
    left = [path.name for path in (folder / "incoming").iterdir()]
    return sorted({key for key, _size in rows.items() ^ files.items()}) + left


@contextmanager
def small_volume() -> Iterator[Path]:
    if os.geteuid() != 0:
        raise NotHere("only root may mount a small volume")
    with tempfile.TemporaryDirectory(prefix="earshot-uploads-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={VOLUME}", "tmpfs", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            raise NotHere("a small volume could not be mounted")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def volume_full(folder: Path) -> Iterator[None]:
    with filled(folder / "incoming"):
        yield


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)


@contextmanager
def missing(folder: Path) -> Iterator[None]:
    """A file stands where the folder of what is coming in was."""
    incoming = folder / "incoming"
    incoming.rename(folder / "elsewhere")
    incoming.write_bytes(b"")
    try:
        yield
    finally:
        incoming.unlink()
        (folder / "elsewhere").rename(incoming)


FAULTS = [
    Fault(
        "FI-22",
        "the folder of uploads is full, read-only, missing",
        uploads_unwritable,
        Control(
            "files acknowledged whether or not they could be kept",
            "lost",
            uploads_unwritable,
            without="files",
            slow=True,
        ),
    ),
]
