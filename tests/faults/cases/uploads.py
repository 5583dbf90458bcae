"""The folder of uploads: full, read-only, gone. Played with a server of its own, whose uploads have a small volume."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from messaging.models import Attachment
from tests.faults import wire
from tests.faults.cases.storage import filled
from tests.faults.load import Load
from tests.faults.site import in_thread
from tests.faults.stage import Fault, NotHere, Stage

VOLUME = "16m"
FILE_BYTES = 1024 * 1024


async def uploads_unwritable(stage: Stage) -> None:
    faults: list[Callable[[Path], AbstractContextManager[None]]] = [volume_full, read_only, missing]
    with small_volume() as folder:
        async with stage.site.another_server(UPLOADS=str(folder)) as server, stage.load(port=server.port) as load:
            statuses = [await upload(load)]
            for fault in faults:
                with fault(folder):
                    await load.goes_on(stage.lasting(1, 10))
                    statuses.append(await upload(load))
                statuses.append(await upload(load))
            refused_texts = sum(count for status, count in load.statuses.items() if status not in {200, 201, 429})
        halves = await in_thread(half_kept, folder)
        # The look must be able to see one.
        next(path for path in folder.glob("??/??/*") if not path.suffix).unlink()
        seen = await in_thread(half_kept, folder)
    stage.promise("files are refused with 503 meanwhile", statuses[1::2] == [503] * len(faults), statuses[1::2])
    stage.promise("and taken before and afterwards", statuses[::2] == [201] * (len(faults) + 1), statuses[::2])
    stage.promise("text goes on", refused_texts == 0, f"{refused_texts} posts were refused")
    stage.promise("no row is without its file, no file without its row", halves == [], halves)
    stage.promise("a file that is taken away is missed", len(seen) == 1, f"{len(seen)} was" if seen else "it was not")


async def upload(load: Load) -> int:
    path = f"/rooms/{load.rooms[0]}/files/?name=random.bin"
    reply = await wire.send(load.port, path, load.posters[0].session, os.urandom(FILE_BYTES))
    return reply.status


def half_kept(folder: Path) -> list[str]:
    """Return the keys of which there is a row or a file, but not both, and what is left half received."""
    rows = dict(Attachment.objects.filter(name="random.bin", size=FILE_BYTES).values_list("key", "size"))
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
        covered_by="FI-03",
    ),
]
