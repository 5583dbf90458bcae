"""The shipped server when files are many, large, slow, or find no room."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Attachment, Message
from rooms.models import Room
from tests.cast import all_rows
from tests.conftest import client_of
from tests.files import making
from tests.files.making import stored
from tests.files.test_serving import ask, send_as, send_over_the_wire, token_of
from tests.project.test_request_limits import assert_serves, raw, status
from tests.server import ServerProcess

MEGABYTE = 1024 * 1024
SMALL_DISK = 24 * MEGABYTE


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def post_text(server: ServerProcess, user: User, room: Room, text: str) -> int:
    headers = token_of(server, client_of(user)) | {"Content-Type": "application/x-www-form-urlencoded"}
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    wire.request("POST", f"/rooms/{room.slug}/messages/", f"text={text}&client_id={uuid.uuid4()}", headers)
    found = wire.getresponse().status
    wire.close()
    return found


def test_full_disk_refuses_files_and_nothing_else(
    transactional_db: None, static_files: None, small_disk: Path, room: Room, owner: User
) -> None:
    with ServerProcess(connection.settings_dict, UPLOADS=str(small_disk), UPLOAD_FREE_PERCENT="5") as server:
        data = os.urandom(6 * MEGABYTE)
        assert send_over_the_wire(server, owner, room, data)[0] == 201
        filler = small_disk / "filler"
        # Beyond the floor; then so full that even that could not be told by writing.
        for free in (SMALL_DISK // 50, 0):
            filler.write_bytes(b"x" * (SMALL_DISK - 6 * MEGABYTE - free - 64 * 1024))
            before, kept = all_rows(), stored(small_disk)
            answer = send_over_the_wire_or_cut(server, owner, room, data)
            assert answer in {503, None}
            assert send_over_the_wire_or_cut(server, owner, room, b"small") == 503
            assert {**all_rows(), "User": []} == {**before, "User": []}
            assert stored(small_disk) == kept
            assert post_text(server, owner, room, "text") == 201
        filler.unlink()
        assert send_over_the_wire(server, owner, room, data)[0] == 201
        assert Attachment.objects.count() == 2


def test_disk_that_fills_up_meanwhile_leaves_no_half_file(
    transactional_db: None, static_files: None, small_disk: Path, room: Room, owner: User
) -> None:
    # With no floor the bytes themselves find no room.
    with ServerProcess(connection.settings_dict, UPLOADS=str(small_disk), UPLOAD_FREE_PERCENT="0") as server:
        assert send_over_the_wire(server, owner, room, os.urandom(MEGABYTE))[0] == 201
        kept = stored(small_disk)
        for size in (19 * MEGABYTE, 14 * MEGABYTE):  # as a body, and as its copy
            assert send_over_the_wire_or_cut(server, owner, room, os.urandom(size)) == 503
            assert stored(small_disk) == kept
        assert post_text(server, owner, room, "text") == 201
        assert (Attachment.objects.count(), Message.objects.count()) == (1, 1)


def send_over_the_wire_or_cut(server: ServerProcess, user: User, room: Room, data: bytes) -> int | None:
    """Return the status; None if the server said it and closed while we were still sending."""
    try:
        found = send_over_the_wire(server, user, room, data)
    except (ConnectionError, http.client.HTTPException):
        return None
    return found[0]


def test_large_body_is_for_people_with_a_session_and_for_files(server: ServerProcess, room: Room) -> None:
    large = settings.BODY_MAX_BYTES + 1
    path = f"/rooms/{room.slug}/files/".encode()
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
    session = f"Cookie: {settings.SESSION_COOKIE_NAME}=x\r\n".encode()
    assert status(raw(server, head % (path, large) + b"\r\n")) == 413
    assert status(raw(server, head % (path, settings.BODY_MAX_BYTES_FILES + 1) + session + b"\r\n")) == 413
    assert status(raw(server, head % (b"/rooms/x/read/", large) + session + b"\r\n")) == 413
    assert status(raw(server, head % (b"/rooms/x/messages/", large) + session + b"\r\n")) == 413
    allowed = raw(server, head % (path, large) + session + b"\r\n", b"x" * large)
    assert status(allowed) in {401, 302, 403}
    assert_serves(server)


def test_slow_readers_hold_no_threads(server: ServerProcess, room: Room, owner: User) -> None:
    data = os.urandom(8 * MEGABYTE)
    _status, answer = send_over_the_wire(server, owner, room, data)
    post_message(room, author=owner, text="", client_id=uuid.uuid4(), attachments=[answer["id"]])
    cookie = token_of(server, client_of(owner))["Cookie"]
    request = f"GET {answer['url']} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode()
    readers = []
    for _ in range(3 * settings.REQUEST_THREADS):
        reader = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(request)
        assert reader.recv(15).startswith(b"HTTP/1.1 200")
        readers.append(reader)
    response, body = ask(server, owner, answer["url"])
    assert (response.status, body == data) == (200, True)
    assert post_text(server, owner, room, "goes on") == 201
    for reader in readers:
        reader.close()
    assert_serves(server)


@pytest.mark.slow
def test_many_large_files_at_once_stay_out_of_memory(server: ServerProcess, room: Room, owner: User) -> None:
    assert server.process
    process = psutil.Process(server.process.pid)
    send_over_the_wire(server, owner, room, making.png())
    before = process.memory_info().rss
    data, headers = os.urandom(10 * MEGABYTE), token_of(server, client_of(owner))
    with ThreadPoolExecutor(20) as pool:
        sendings = [pool.submit(send_as, server, headers, room, data) for _ in range(20)]
        while not all(sending.done() for sending in sendings):
            assert process.memory_info().rss - before < 100 * MEGABYTE
            assert post_text(server, owner, room, "meanwhile") == 201
    assert [sending.result()[0] for sending in sendings] == [201] * 20
    assert stored(settings.DATA_DIR / "uploads" / "incoming") == []
