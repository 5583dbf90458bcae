"""The embedded PostgreSQL dies while its users go on: they start it again, without haste, and once."""

import fcntl
import shutil
import signal
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from project.embedded import connection_settings
from project.keeper import LONGEST_PAUSE_SECONDS, pause_before
from tests.project.database_users import Users, ask, cluster, postmaster
from tests.project.processes import BOUND

ENDED = "PostgreSQL ended although nobody asked it to; starting it again."
ANSWERS = "PostgreSQL answers again"


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


def test_server_that_was_killed_is_started_again_by_its_user(data: Path, user: Users) -> None:
    here = user().ready()
    ask(data, "CREATE TABLE kept AS SELECT generate_series(1, 10000) AS number")
    killed = kill(data)
    here.wait_until(ANSWERS)
    assert postmaster(data) != killed
    assert ask(data, "SELECT count(*) FROM kept") == [(10_000,)]
    assert here.said[here.said.index(ENDED) :] == [ENDED, "Starting PostgreSQL …", here.said[-1]]
    assert here.leave() == (0, "")
    assert cluster(data).postmaster() is None


def test_of_several_users_one_starts_it_and_the_last_stops_it(data: Path, user: Users) -> None:
    everybody = [user().ready(), user().ready(), user().ready()]
    killed = kill(data)
    wait_until_answering(data)
    assert postmaster(data) != killed
    assert cluster(data).log.read_text().count("starting PostgreSQL") == 2
    server = postmaster(data)
    assert [each.leave() for each in everybody[:2]] == [(0, ""), (0, "")]
    assert postmaster(data) == server
    assert everybody[2].leave() == (0, "")
    assert cluster(data).postmaster() is None


def test_server_that_can_not_start_is_tried_again_without_haste(data: Path, user: Users) -> None:
    here = user().ready()
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


def test_user_can_leave_while_the_server_can_not_start(data: Path, user: Users) -> None:
    here = user().ready()
    spoil_configuration(data)
    kill(data)
    here.wait_until("PostgreSQL can't be started")
    began = time.monotonic()
    assert here.leave(signal.SIGTERM) == (128 + signal.SIGTERM, "")
    assert time.monotonic() - began < BOUND / 10
    assert cluster(data).postmaster() is None


def test_server_that_is_stopped_with_the_last_user_stays_stopped(data: Path, user: Users) -> None:
    here = user().ready()
    assert here.leave() == (0, "")
    assert ENDED not in here.said
    assert cluster(data).postmaster() is None


def test_nothing_is_started_while_somebody_holds_the_lock_for_it(data: Path, user: Users) -> None:
    here = user(progress_seconds=0.5).ready()
    with (cluster(data).home / "starting.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kill(data)
        here.wait_until(ENDED)
        here.wait_until("Another process is starting PostgreSQL: ")
        assert cluster(data).postmaster() is None
    here.wait_until(ANSWERS)


def test_data_that_is_gone_is_not_made_anew(data: Path, user: Users) -> None:
    here = user().ready()
    shutil.move(cluster(data).data, cluster(data).home / "elsewhere")
    psutil.Process(int((cluster(data).home / "elsewhere" / "postmaster.pid").read_text().split("\n")[0])).kill()
    here.wait_until(f"The data directory {cluster(data).data} is gone")
    assert not cluster(data).data.exists()
    assert here.leave() == (0, "")


def test_server_that_only_hangs_is_left_alone(data: Path, user: Users) -> None:
    here = user().ready()
    server = postmaster(data)
    server.suspend()
    try:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**connection_settings(data), connect_timeout=2)  # type: ignore[arg-type]  # parameters by name
    finally:
        server.resume()
    assert ask(data, "SELECT 1") == [(1,)]
    assert postmaster(data) == server
    assert ENDED not in here.said


def test_session_forgotten_in_a_transaction_has_an_end(data: Path, user: Users) -> None:
    user().ready()
    assert ask(data, "SHOW idle_in_transaction_session_timeout") == [("1min",)]
