"""`manage.py serve`: what it says when it can't start, and how it ends."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from tests.conftest import once_a_run
from tests.project.database_users import cluster
from tests.project.processes import BOUND, SpeakingProcess
from tests.server import free_port

STOP_SECONDS = 8.0
Serve = Callable[..., SpeakingProcess]


@pytest.fixture
def serve(data: Path) -> Iterator[Serve]:
    """Start `manage.py serve` with these arguments on an empty data directory, or with this DATABASE_URL."""
    started: list[SpeakingProcess] = []

    def start(*arguments: str, **variables: str) -> SpeakingProcess:
        started.append(serving(data, *arguments, **variables))
        return started[-1]

    yield start
    for server in started:
        for process in family(server):
            process.kill()
        server.process.communicate()
    cluster(data).stop()


@pytest.fixture
def served_before(data: Path) -> None:
    """Have the data directory be one that was prepared by an earlier start, which takes most of the time of a first."""
    kept = settings.DATA_DIR / "served"
    once_a_run("served", lambda: prepare(data, kept))
    subprocess.run(["cp", "-a", kept, data], check=True)  # the server's files belong to another account


def prepare(data: Path, kept: Path) -> None:
    server = serving(data, "--prepare", "--port", "0").wait_until("Ctrl-C stops it.")
    assert server.leave(signal.SIGTERM) == (0, "")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.move(data, kept)


def serving(data: Path, *arguments: str, **variables: str) -> SpeakingProcess:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEY")}
    environment |= {"EARSHOT_DATA": str(data), **variables}
    return SpeakingProcess(sys.executable, "manage.py", "serve", *arguments, environment=environment)


def family(server: SpeakingProcess) -> list[psutil.Process]:
    """The process and those it has started, as far as they are alive."""
    try:
        parent = psutil.Process(server.process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def alive(process: psutil.Process) -> bool:
    """Where nobody collects orphans, a process that has ended stays on as a zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def workers(server: SpeakingProcess) -> list[psutil.Process]:
    found = []
    for process in family(server)[1:]:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [process] if "spawn_main" in " ".join(process.cmdline()) else []
    return found


def status(port: int, path: str = "/accounts/login/") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=BOUND)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.usefixtures("served_before")
@pytest.mark.parametrize(
    ("count", "number"), [("1", signal.SIGTERM), ("1", signal.SIGINT), ("1", signal.SIGHUP), ("2", signal.SIGTERM)]
)
def test_signal_ends_everything_that_was_started(serve: Serve, data: Path, count: str, number: signal.Signals) -> None:
    port = free_port()
    server = serve("--prepare", "--port", str(port), "--workers", count).wait_until("Ctrl-C stops it.")
    assert status(port) == 200
    assert len(workers(server)) == {"1": 0, "2": 2}[count]
    everyone = family(server)
    assert cluster(data).postmaster() is not None
    began = time.monotonic()
    assert server.leave(number) == (0, "")
    assert time.monotonic() - began < STOP_SECONDS
    assert cluster(data).postmaster() is None
    wait_for(lambda: not any(map(alive, everyone)))


def test_first_start_tells_of_each_step_and_gives_the_owner_link(serve: Serve, data: Path) -> None:
    port = free_port()
    server = serve("--prepare", "--port", str(port)).wait_until("Ctrl-C stops it.")
    said = [line.partition(" (")[0] for line in server.said]
    steps = [
        "Making the database …",
        "Starting PostgreSQL …",
        "Preparing the database",
        "Collecting the static files …",
    ]
    assert [line for line in said if line in steps] == steps
    assert f"Earshot is ready at http://127.0.0.1:{port}/" in said
    assert "connections" not in " ".join(said)
    assert f"No mail server is configured: mail is written to {data / 'mail'}" in said
    (link,) = (line for line in said if "/setup/" in line)
    assert status(port, link.partition(f"http://127.0.0.1:{port}")[2]) == 200


@pytest.mark.parametrize(
    ("variables", "site"),
    [
        ({"ALLOWED_HOSTS": "chat.local"}, "http://127.0.0.1:{port}"),
        ({"SITE_URL": "https://chat.example.org", "TRUSTED_PROXIES": "1"}, "https://chat.example.org"),
    ],
    ids=["further names", "a site behind TLS"],
)
def test_owner_link_leads_to_where_the_site_answers(serve: Serve, variables: dict[str, str], site: str) -> None:
    port = free_port()
    server = serve("--prepare", "--port", str(port), **variables).wait_until("Ctrl-C stops it.")
    (link,) = (line.rpartition(" ")[2] for line in server.said if "/setup/" in line)
    assert link.startswith(f"{site.format(port=port)}/setup/")
    if site.startswith("http:"):
        assert status(port, link.partition(f"127.0.0.1:{port}")[2]) == 200


@pytest.mark.usefixtures("served_before")
def test_processes_that_could_use_up_the_connections_are_told_of(serve: Serve) -> None:
    server = serve("--port", "0", DATABASE_POOL="400").wait_until("Ctrl-C stops it.")
    assert [line for line in server.said if "connections" in line] == [
        "PostgreSQL gives out 297 connections, and 402 may be asked for on a busy day:"
        " raise its max_connections, or lower WORKERS or DATABASE_POOL."
    ]


def test_taken_port_is_named_before_anything_is_started(serve: Serve, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve("--prepare", "--port", str(port)).leave() == (
            1,
            f"Port {port} on 127.0.0.1 is taken; choose another, for example: make run PORT={min(port + 1, 65_535)}",
        )
    assert cluster(data).exists() is False


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--host", "nowhere.invalid"),
            "'nowhere.invalid' is not a name or an address of this machine; choose another HOST.",
        ),
        (("--port", "65536"), "'65536' is not a port; a port is a number from 1 to 65535."),
        (("--port", "http"), "'http' is not a port; a port is a number from 1 to 65535."),
        (("--workers", "0"), "'0' is not a number of workers; give one from 1 to 64."),
    ],
)
def test_wrong_argument_is_answered_in_a_sentence(serve: Serve, arguments: tuple[str, ...], sentence: str) -> None:
    assert serve(*arguments).leave() == (1, sentence)


def test_unreachable_database_is_named_without_its_password(serve: Serve) -> None:
    port = free_port()
    url = f"postgresql://ana:hunter2hunter2@127.0.0.1:{port}/chat"
    server = serve("--prepare", "--port", "0", DATABASE_URL=url, SECRET_KEY="k" * 60)
    code, complaint = server.leave()
    assert (code, complaint) == (
        1,
        f"The database 'chat' at 127.0.0.1:{port} can't be reached (Connection refused); check DATABASE_URL.",
    )
    assert "hunter2hunter2" not in complaint + "".join(server.said)


def test_database_that_lacks_migrations_is_not_served(serve: Serve) -> None:
    code, complaints = serve("--port", "0").leave()
    assert code == 1
    complaint = complaints.splitlines()[-1]  # before it, the pool may miss the server that is being stopped
    assert complaint.startswith("The database lacks ")
    assert complaint.endswith(" changes: run `manage.py migrate` or add --prepare.")


@pytest.mark.usefixtures("served_before")
def test_dead_worker_is_replaced(serve: Serve) -> None:
    port = free_port()
    server = serve("--prepare", "--port", str(port), "--workers", "2").wait_until("Ctrl-C stops it.")
    first, second = workers(server)
    first.kill()
    # Looked at once: a second look a moment later would see other workers.
    wait_for(lambda: len(now := workers(server)) == 2 and first not in now)
    assert second in workers(server)
    assert status(port) == 200
    code, complaint = server.leave(signal.SIGTERM)
    assert (code, f"Worker {first.pid} died" in complaint) == (0, True)


@pytest.mark.usefixtures("served_before")
def test_worker_that_can_not_be_replaced_is_replaced_later(serve: Serve) -> None:
    """The supervisor may open no file for a while."""
    port = free_port()
    server = serve("--prepare", "--port", str(port), "--workers", "2").wait_until("Ctrl-C stops it.")
    supervisor, first = psutil.Process(server.process.pid), workers(server)[0]
    most, hard = supervisor.rlimit(psutil.RLIMIT_NOFILE)
    supervisor.rlimit(psutil.RLIMIT_NOFILE, (0, hard))
    first.kill()
    complaints = server.process.stderr
    assert complaints
    os.set_blocking(complaints.fileno(), False)
    wait_for(lambda: b"A worker could not be started: Too many open files" in (complaints.read() or b""))
    supervisor.rlimit(psutil.RLIMIT_NOFILE, (most, hard))
    wait_for(lambda: len(workers(server)) == 2)
    assert status(port) == 200
    assert server.leave(signal.SIGTERM)[0] == 0


@pytest.mark.usefixtures("served_before")
def test_workers_leave_with_their_killed_supervisor(serve: Serve) -> None:
    server = serve("--prepare", "--port", "0", "--workers", "2").wait_until("Ctrl-C stops it.")
    orphans = workers(server)
    assert len(orphans) == 2
    server.process.kill()
    wait_for(lambda: not any(map(alive, orphans)))


def wait_for(condition: Callable[[], bool]) -> None:
    """The kernel names no signal for what other processes' children do: ask again and again, with a bound."""
    deadline = time.monotonic() + BOUND
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.05)
