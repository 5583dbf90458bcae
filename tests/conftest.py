from __future__ import annotations

import fcntl
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from project import embedded
from rooms import actions
from rooms.models import Membership, Room
from tests import emptying
from tests.factories import MembershipFactory, RoomFactory, UserFactory
from tests.server import ServerProcess

GARBAGE_OBJECTS = 20_000  # made before any of them is looked at: a request makes more of them than Python's own 700


def pytest_configure() -> None:
    """Have children hear SIGINT: a shell starts what it runs in the background with that signal ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    emptying.install()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let one run at a time have the data directory: two would drop each other's databases."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    lock = (settings.DATA_DIR / "run.lock").open("w")
    session.config.add_cleanup(lock.close)
    fcntl.flock(lock, fcntl.LOCK_EX)


def pytest_collection_finish() -> None:
    """Have garbage looked for again, but not in what was loaded and collected: that stays to the end of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS)
    gc.enable()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """Have the embedded PostgreSQL run for as long as the tests do, unless DATABASE_URL names another."""
    if not settings.EMBEDDED_POSTGRES:
        yield
        return
    with embedded.running(settings.DATA_DIR, say=lambda line: None):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    yield
    # Dropping a database waits for a checkpoint, on a busy machine for longer than any statement of ours may take.
    connection.settings_dict["OPTIONS"]["options"] = ""


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    once_a_run("static", lambda: call_command("collectstatic", interactive=False, verbosity=0))


def once_a_run(name: str, make: Callable[[], object]) -> None:
    """Make what all tests share once for a whole run, however many processes it has."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read() != run:
            make()
            lock.seek(0)
            lock.truncate()
            lock.write(run)


@pytest.fixture(autouse=True)
def mail_folder(settings: Any, tmp_path: Any) -> None:
    settings.EMAIL_FILE_PATH = tmp_path / "mail"


class Faults(logging.Handler):
    """Collects what should never be logged: an answer of 500, and what nobody waited for in an event loop."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        is_of_the_browser = "playwright" in record.getMessage()  # its loop runs in this process
        if getattr(record, "status_code", 500) == 500 and not is_of_the_browser:
            self.found.append(record.getMessage())


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which anything was answered with a fault, unless it is marked to make one."""
    faults, loggers = Faults(), [logging.getLogger(name) for name in ("django.request", "asyncio")]
    for logger in loggers:
        logger.addHandler(faults)
    yield
    for logger in loggers:
        logger.removeHandler(faults)
    assert request.node.get_closest_marker("faulty") or faults.found == []


@pytest.fixture(scope="session")
def shared_server(django_db_setup: None, static_files: None) -> Iterator[ServerProcess]:
    with ServerProcess(database=connection.settings_dict) as server:
        yield server


@pytest.fixture
def server(transactional_db: None, shared_server: ServerProcess) -> ServerProcess:
    """The shipped server process, on this test's database."""
    if shared_server.process is None:
        shared_server.start()  # a test that failed had stopped it
    shared_server.assert_healthy()
    return shared_server


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# The cast, by what they may do in `room`.
@pytest.fixture
def owner(db: None) -> User:
    return UserFactory.create(username="owner", name="Olga Owner")


@pytest.fixture
def room(owner: User) -> Room:
    return RoomFactory.create(name="Kitchen", actor=owner)


@pytest.fixture
def private_room(owner: User) -> Room:
    return RoomFactory.create(name="Vault", kind=Room.Kind.PRIVATE, actor=owner)


@pytest.fixture(params=["public", "private"])
def any_room(request: pytest.FixtureRequest, owner: User) -> Room:
    return RoomFactory.create(name="Somewhere", kind=request.param, actor=owner)


@pytest.fixture
def site_owner(db: None) -> User:
    return UserFactory.create(username="olga", name="Olga", is_staff=True, is_superuser=True)


@pytest.fixture
def outsider(db: None) -> User:
    return UserFactory.create(username="outsider", name="Otto Outsider")


def join(room: Room, username: str, role: str = Membership.Role.MEMBER) -> User:
    """Return a new person who is in the room."""
    return MembershipFactory.create(room=room, member=UserFactory.create(username=username), role=role).user


def leave(room: Room, user: User) -> None:
    actions.remove_member(Membership.objects.get(room=room, user=user), actor=user)
