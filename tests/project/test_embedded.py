"""The embedded PostgreSQL, used by processes that leave politely, are killed, race each other or find ruins."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from project.cluster import SUPERUSER
from project.embedded import LONGEST_SOCKET_PATH, running, socket_directory
from tests.project.database_users import Users, ask, cluster, postmaster
from tests.project.processes import BOUND


def test_fresh_directory_gets_a_safe_database_that_is_kept(data: Path) -> None:
    with running(data, lambda _line: None):
        assert ask(data, "SHOW data_checksums") == [("on",)]
        assert ask(data, "SHOW synchronous_commit") == [("on",)]
        assert ask(data, "SHOW fsync") == [("on",)]
        assert ask(data, "SHOW server_encoding") == [("UTF8",)]
        assert ask(data, "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'earshot'") == [(False, True)]
        ask(
            data,
            "CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent; CREATE TABLE kept AS SELECT 'still here' AS word",
        )
    assert cluster(data).postmaster() is None
    with pytest.raises(psycopg.OperationalError):
        ask(data, "SELECT 1")
    with running(data, lambda _line: None):
        assert ask(data, "SELECT word FROM kept") == [("still here",)]


def test_server_listens_on_its_private_socket_only(data: Path) -> None:
    with running(data, lambda _line: None):
        server = postmaster(data)
        assert [connection.laddr for connection in server.net_connections("inet")] == []
        assert [
            Path(str(connection.laddr)).parent for connection in server.net_connections("unix") if connection.laddr
        ] == [socket_directory(data)]
        found = socket_directory(data).stat()
        assert (found.st_mode & 0o777, found.st_uid) == (0o700, server.uids().real)


def test_server_of_a_killed_user_is_adopted(data: Path, user: Users) -> None:
    first = user().ready()
    server = postmaster(data)
    first.leave(signal.SIGKILL)
    assert postmaster(data) == server
    second = user().ready()
    assert postmaster(data) == server
    assert second.said == ["ready"]
    assert second.leave() == (0, "")
    assert cluster(data).postmaster() is None


def test_killed_server_is_started_again_at_once(data: Path, user: Users) -> None:
    user().ready()
    ask(data, "CREATE TABLE kept AS SELECT generate_series(1, 10000) AS number")
    server = postmaster(data)
    server.kill()
    user().ready()
    assert postmaster(data) != server
    assert ask(data, "SELECT count(*) FROM kept") == [(10_000,)]


def test_lock_file_that_names_a_foreign_process_is_not_believed(data: Path, user: Users) -> None:
    user().ready().leave()
    here = cluster(data)
    with subprocess.Popen(["sleep", "600"], **here.account.process_owner()) as foreigner:
        try:
            lock = here.data / "postmaster.pid"
            lock.write_text(f"{foreigner.pid}\n{here.data}\n1700000000\n5432\n{here.socket}\n\n\nready   \n")
            here.account.take(lock)
            socket_lock = here.socket / ".s.PGSQL.5432.lock"
            shutil.copy(lock, socket_lock)
            here.account.take(socket_lock)
            # PostgreSQL alone believes it, and would never start again.
            alone = subprocess.run(
                [here.programs / "postgres", "-D", here.data, "-k", here.socket],
                **here.account.process_owner(),
                cwd="/",
                capture_output=True,
                text=True,
                timeout=BOUND,
                check=False,
            )
            assert (alone.returncode, "already exists" in alone.stderr) == (1, True)
            user().ready()
            assert postmaster(data).pid != foreigner.pid
            assert foreigner.poll() is None
        finally:
            foreigner.kill()


def test_lock_of_a_live_server_is_left_alone(data: Path, user: Users) -> None:
    user().ready()
    lock = cluster(data).data / "postmaster.pid"
    before = (lock.stat().st_ino, lock.read_text())
    user().ready()
    assert (lock.stat().st_ino, lock.read_text()) == before


def test_server_stays_until_its_last_user_leaves(data: Path, user: Users) -> None:
    first, second = user().ready(), user().ready()
    assert first.leave() == (0, "")
    assert ask(data, "SELECT 1") == [(1,)]
    assert second.leave() == (0, "")
    assert cluster(data).postmaster() is None


def test_two_first_starts_at_once_share_one_server(data: Path, first_user: Users) -> None:
    first, second = first_user(), first_user()
    first.ready()
    second.ready()
    assert sorted(first.said + second.said).count("Starting PostgreSQL …") == 1
    assert ask(data, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_the_server_too(data: Path, user: Users, number: signal.Signals) -> None:
    leaver = user().ready()
    assert cluster(data).postmaster() is not None
    assert leaver.leave(number) == (128 + number, "")
    assert cluster(data).postmaster() is None


def test_interrupt_of_the_terminal_does_not_reach_the_server(data: Path, user: Users) -> None:
    first = user().ready()
    server = postmaster(data)
    user().ready()
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.process.wait(BOUND) != 0
    assert postmaster(data) == server
    assert ask(data, "SELECT 1") == [(1,)]


@pytest.mark.slow
def test_server_that_does_not_answer_is_waited_for_aloud(data: Path, user: Users) -> None:
    user().ready()
    server = postmaster(data)
    server.suspend()
    try:
        late = user().wait_until("PostgreSQL is getting ready")
        assert "ready" not in late.said
    finally:
        server.resume()
    late.ready()
    assert postmaster(data) == server


def test_unusable_directory_is_named_in_a_sentence(data: Path, first_user: Users) -> None:
    data.write_text("a file is in the way")
    code, complaint = first_user().leave()
    assert (code, complaint) == (
        1,
        f"The data directory {data} can't be used ({data}: File exists); "
        "make it writable, or set EARSHOT_DATA to a directory that is.",
    )
    data.unlink()


def test_data_of_another_version_is_refused_in_a_sentence(data: Path, user: Users) -> None:
    user().ready().leave()
    (cluster(data).data / "PG_VERSION").write_text("17\n")
    code, complaint = user().leave()
    assert code == 1
    assert complaint == (
        f"The data in {cluster(data).data} was made by PostgreSQL 17 and this is PostgreSQL 18: dump it with the other "
        "version and load it here, or set EARSHOT_DATA to another directory."
    )


def test_server_that_can_not_start_points_at_its_log(data: Path, user: Users) -> None:
    user().ready().leave()
    with (cluster(data).data / "postgresql.conf").open("a") as configuration:
        configuration.write("shared_buffers = 'nonsense'\n")
    code, complaint = user().leave()
    assert code == 1
    assert complaint.endswith(f"; its log is {cluster(data).log}.")
    assert "\n" not in complaint
    assert "nonsense" in cluster(data).log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_full_disk_is_named_in_a_sentence(data: Path, first_user: Users) -> None:
    data.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", data], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    sentence = f"The disk that holds {data / 'postgres'} is full: free some space, then start again."
    try:
        first_user().ready().leave()
        free = shutil.disk_usage(data).free
        os.posix_fallocate(filler := os.open(data / "filler", os.O_CREAT | os.O_WRONLY), 0, free)
        os.close(filler)
        assert first_user().leave() == (1, sentence)
        shutil.rmtree(data / "postgres")
        assert first_user().leave() == (1, sentence)
    finally:
        cluster(data).stop()
        subprocess.run(["umount", data], check=True)


def test_socket_of_a_deep_directory_is_in_a_short_private_one(data: Path) -> None:
    deep = data / ("d" * 60) / ("e" * 60)
    place = socket_directory(deep)
    assert len(os.fsencode(place / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH < len(os.fsencode(deep))
    assert socket_directory(data) == data / "postgres"
    try:
        with running(deep, lambda _line: None):
            assert ask(deep, "SHOW unix_socket_directories", user=SUPERUSER, dbname="postgres") == [(str(place),)]
            assert place.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(place)


def test_socket_directory_that_others_can_enter_is_refused(data: Path, user: Users) -> None:
    user().ready().leave()
    (data / "postgres").chmod(0o777)
    code, complaint = user().leave()
    assert (code, complaint.partition(" has to be ")[0]) == (1, str(data / "postgres"))
