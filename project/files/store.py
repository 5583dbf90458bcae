"""The folder of uploaded files: `ab/cd/<key>`, where the key is random and never from whoever sends a file.

A file is written under `incoming/`, flushed to the disk and then renamed, so that a key always names a whole file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

KEY_PATTERN = re.compile("[0-9a-f]{32}")
THUMBNAIL = ".thumbnail"
_PIECE = 1024 * 1024
_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP}


class StorageError(Exception):
    """Files can't be kept right now: the folder is missing, can't be written, or its disk is full."""


class TooLargeError(Exception):
    """A file has more bytes than are taken."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Incoming:
    """A file that has come, and is not yet kept."""

    path: Path
    size: int
    sha256: str


def new_key() -> str:
    return secrets.token_hex(16)


def path_of(key: str, suffix: str = "") -> Path:
    if not KEY_PATTERN.fullmatch(key):
        raise ValueError("a key is 32 hexadecimal digits")
    return Path(settings.UPLOADS_DIR, key[:2], key[2:4], key + suffix)


def incoming_folder() -> Path:
    """Return the folder of files on their way, made if need be; raises `StorageError`."""
    folder = Path(settings.UPLOADS_DIR, "incoming")
    with faults_named():
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def receive(source: Readable, limit: int) -> Incoming:
    """Write all that a source gives into the folder of files on their way.

    Raises `TooLargeError` beyond the limit and `StorageError`; nothing is left then.
    """
    require_space()
    path = new_incoming()
    try:
        with faults_named(), path.open("xb") as target:
            size, digest = _copy(source, target.fileno(), limit)
    except BaseException:
        discard(path)
        raise
    return Incoming(path, size, digest)


def new_incoming() -> Path:
    return incoming_folder() / secrets.token_hex(16)


def keep(incoming: Path, key: str, suffix: str = "") -> None:
    """Give a file that has been flushed its place. Raises `StorageError`."""
    target = path_of(key, suffix)
    with faults_named():
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.rename(target)
    flush(target.parent)


def copy(key: str, other: str, suffix: str = "") -> None:
    """Keep a file under another key too: the same bytes under two names, or twice where a disk has no such links.

    Raises `StorageError`.
    """
    source, target = path_of(key, suffix), path_of(other, suffix)
    with faults_named():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.utime(source)  # both names have its age, and no row names the new one yet: old, it would be swept away
            target.hardlink_to(source)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            require_space()
            shutil.copyfile(source, target)  # no row names it yet: if this breaks off it is swept away
            flush(target)
    flush(target.parent)


def measured(path: Path) -> tuple[int, str]:
    """Return a file's size and SHA-256."""
    with faults_named(), path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def size_of(key: str, suffix: str = "") -> int | None:
    """Return how many bytes are kept under a key, or None if there is no file."""
    try:
        return path_of(key, suffix).stat().st_size
    except OSError:
        return None


def remove(key: str) -> None:
    """Remove a file and its thumbnail, as far as they are there."""
    for suffix in ("", THUMBNAIL):
        with faults_named():
            path_of(key, suffix).unlink(missing_ok=True)


def discard(*paths: Path) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def is_full() -> bool:
    """Tell whether so little is free that what is left belongs to the database. Raises `StorageError`."""
    with faults_named():
        space = shutil.disk_usage(incoming_folder())
    return space.free * 100 < space.total * settings.UPLOAD_FREE_PERCENT


def require_space() -> None:
    if is_full():
        raise StorageError("the disk of the uploads is nearly full")


def abandoned(older_than: float) -> Iterator[Path]:
    """Yield what is on its way for longer than so many seconds: its request ended long ago."""
    yield from (path for path in _files_in("incoming") if _age(path) > older_than)


def kept_keys(older_than: float) -> Iterator[str]:
    """Yield the keys of all kept files, and thumbnails, that are older than so many seconds."""
    for path in _files_in("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]"):
        key = path.name.removesuffix(THUMBNAIL)
        if KEY_PATTERN.fullmatch(key) and _age(path) > older_than:
            yield key


@contextmanager
def faults_named() -> Iterator[None]:
    """Inside the block what the file system refuses is a `StorageError`."""
    try:
        yield
    except OSError as error:
        raise StorageError(error.strerror or str(error)) from error


def _copy(source: Readable, target: int, limit: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while piece := source.read(_PIECE):
        size += len(piece)
        if size > limit:
            raise TooLargeError
        digest.update(piece)
        written = 0
        while written < len(piece):
            written += os.write(target, piece[written:])
    return size, digest.hexdigest()


def flush(path: Path) -> None:
    """Return once a file's bytes, or a folder's entries, are on the disk. Raises `StorageError`."""
    with faults_named():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _files_in(pattern: str) -> Iterator[Path]:
    for folder in Path(settings.UPLOADS_DIR).glob(pattern):
        yield from (path for path in folder.iterdir() if path.is_file())


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def prepare() -> None:
    """Make the folder for bodies on their way. Where that fails, what needs it is refused, and nothing else."""
    with suppress(OSError):
        Path(settings.UPLOADS_DIR, "incoming").mkdir(parents=True, exist_ok=True)


def spooled() -> tempfile.SpooledTemporaryFile[bytes]:
    """Return a file for a request's body: in memory while it is small, on the disk of the uploads after that."""
    return tempfile.SpooledTemporaryFile(
        max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, mode="w+b", dir=str(Path(settings.UPLOADS_DIR, "incoming"))
    )
