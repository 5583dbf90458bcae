"""The embedded PostgreSQL dies while its users go on: they start it again, without haste, and once."""

import fcntl
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from project.cluster import Cluster
from project.embedded import connection_settings, socket_directory
from project.keeper import LONGEST_PAUSE_SECONDS, pause_before
from tests.project.processes import BOUND, SpeakingProcess

PROGRAM = """
import logging, sys
from pathlib import Path
from project.embedded import running
logging.basicConfig(stream=sys.stdout, format="%(message)s")
with running(Path(sys.argv[1]), lambda line: print(line, flush=True)):
    print("ready", flush=True)
    sys.stdin.read()
"""
ENDED = "PostgreSQL ended although nobody asked it to; starting it again."
ANSWERS = "PostgreSQL answers again"
User = Callable[[], SpeakingProcess]


@pytest.fixture
def data() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to other accounts, and as root the server has one of its own.
    with tempfile.TemporaryDirectory(prefix="earshot-test-") as directory:
        yield Path(directory) / "data"


@pytest.fixture
def user(data: Path) -> Iterator[User]:
    """Start a process that has the server running until it is told to leave."""
    users: list[SpeakingProcess] = []

    def start() -> SpeakingProcess:
        users.append(SpeakingProcess(sys.executable, "-c", PROGRAM, data))
        return users[-1].wait_until("ready")

    yield start
    for started in users:
        started.process.kill()
        started.process.communicate()
    cluster(data).stop()


def cluster(data: Path) -> Cluster:
    return Cluster(data / "postgres", socket_directory(data), lambda _line: None)


def postmaster(data: Path) -> psutil.Process:
    process = cluster(data).postmaster()
    assert process is not None
    return process


def ask(data: Path, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(**connection_settings(data), autocommit=True) as connection:  # type: ignore[arg-type]
        result = connection.execute(query.encode())
        return result.fetchall() if result.description else []


def kill(data: Path) -> psutil.Process:
    """Kill the postmaster; its children end by themselves."""
    server = postmaster(data)
    server.kill()
    return server


def wait_until_answering(data: Path) -> None:
    deadline = time.monotonic() + BOUND
    while True:
        try:
            assert ask(data, "SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
        else:
            return


def spoil_configuration(data: Path) -> Path:
    added = cluster(data).data / "postgresql.auto.conf"
    with added.open("a") as configuration:
        configuration.write("shared_buffers = 'nonsense'\n")
    return added


def test_server_that_was_killed_is_started_again_by_its_user(data: Path, user: User) -> None:
    here = user()
    ask(data, "CREATE TABLE kept AS SELECT generate_series(1, 10000) AS number")
    killed = kill(data)
    here.wait_until(ANSWERS)
    assert postmaster(data) != killed
    assert ask(data, "SELECT count(*) FROM kept") == [(10_000,)]
    assert here.said[here.said.index(ENDED) :] == [ENDED, "Starting PostgreSQL …", here.said[-1]]
    assert here.leave() == (0, "")
    assert cluster(data).postmaster() is None


def test_of_several_users_one_starts_it_and_the_last_stops_it(data: Path, user: User) -> None:
    everybody = [user(), user(), user()]
    killed = kill(data)
    wait_until_answering(data)
    assert postmaster(data) != killed
    assert cluster(data).log.read_text().count("starting PostgreSQL") == 2
    server = postmaster(data)
    assert [each.leave() for each in everybody[:2]] == [(0, ""), (0, "")]
    assert postmaster(data) == server
    assert everybody[2].leave() == (0, "")
    assert cluster(data).postmaster() is None


def test_server_that_can_not_start_is_tried_again_without_haste(data: Path, user: User) -> None:
    here = user()
    added = spoil_configuration(data)
    began = time.monotonic()
    kill(data)
    here.wait_until("PostgreSQL can't be started")
    here.said.clear()
    here.wait_until("PostgreSQL can't be started")
    assert here.said[-1].endswith("Earshot tries again in 2 s.")
    assert time.monotonic() - began >= pause_before(1)
    assert cluster(data).log.read_text().count("nonsense") == 2
    added.write_text("")
    here.wait_until(ANSWERS)
    assert ask(data, "SELECT 1") == [(1,)]


def test_pauses_grow_to_a_bound() -> None:
    assert [pause_before(tries) for tries in range(6)] == [0, 1, 2, 4, 8, LONGEST_PAUSE_SECONDS]


def test_user_can_leave_while_the_server_can_not_start(data: Path, user: User) -> None:
    here = user()
    spoil_configuration(data)
    kill(data)
    here.wait_until("PostgreSQL can't be started")
    began = time.monotonic()
    assert here.leave(signal.SIGTERM) == (128 + signal.SIGTERM, "")
    assert time.monotonic() - began < BOUND / 10
    assert cluster(data).postmaster() is None


def test_server_that_is_stopped_with_the_last_user_stays_stopped(data: Path, user: User) -> None:
    here = user()
    assert here.leave() == (0, "")
    assert ENDED not in here.said
    assert cluster(data).postmaster() is None


def test_nothing_is_started_while_somebody_holds_the_lock_for_it(data: Path, user: User) -> None:
    here = user()
    with (cluster(data).home / "starting.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kill(data)
        here.wait_until(ENDED)
        here.wait_until("Another process is starting PostgreSQL: ")
        assert cluster(data).postmaster() is None
    here.wait_until(ANSWERS)


def test_data_that_is_gone_is_not_made_anew(data: Path, user: User) -> None:
    here = user()
    shutil.move(cluster(data).data, cluster(data).home / "elsewhere")
    psutil.Process(int((cluster(data).home / "elsewhere" / "postmaster.pid").read_text().split("\n")[0])).kill()
    here.wait_until(f"The data directory {cluster(data).data} is gone")
    assert not cluster(data).data.exists()
    assert here.leave() == (0, "")


def test_server_that_only_hangs_is_left_alone(data: Path, user: User) -> None:
    here = user()
    server = postmaster(data)
    server.suspend()
    try:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**connection_settings(data), connect_timeout=2)  # type: ignore[arg-type]
    finally:
        server.resume()
    assert ask(data, "SELECT 1") == [(1,)]
    assert postmaster(data) == server
    assert ENDED not in here.said


def test_session_forgotten_in_a_transaction_has_an_end(data: Path, user: User) -> None:
    user()
    assert ask(data, "SHOW idle_in_transaction_session_timeout") == [("1min",)]
