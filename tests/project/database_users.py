"""Processes that have an embedded PostgreSQL running, and what is found of it from outside."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg

from project.cluster import PROGRESS_SECONDS, Cluster
from project.embedded import connection_settings, socket_directory
from tests.project.processes import SpeakingProcess

PROGRAM = """
import logging, sys
from pathlib import Path
from project import cluster
from project.embedded import EmbeddedPostgresError, running
cluster.PROGRESS_SECONDS = float(sys.argv[2])
logging.basicConfig(stream=sys.stdout, format="%(message)s")
try:
    with running(Path(sys.argv[1]), lambda line: print(line, flush=True)):
        print("ready", flush=True)
        sys.stdin.read()
except EmbeddedPostgresError as problem:
    sys.exit(str(problem))
"""


class User(SpeakingProcess):
    """A process of its own that has the server running until it is told to leave."""

    def __init__(self, data: Path, progress_seconds: float = PROGRESS_SECONDS) -> None:
        super().__init__(sys.executable, "-c", PROGRAM, data, str(progress_seconds))

    def ready(self) -> User:
        return self.wait_until("ready")


Users = Callable[..., User]


def cluster(data: Path) -> Cluster:
    return Cluster(data / "postgres", socket_directory(data), lambda _line: None)


def postmaster(data: Path) -> psutil.Process:
    process = cluster(data).postmaster()
    assert process is not None
    return process


def ask(data: Path, query: str, **settings: str) -> list[tuple[object, ...]]:
    with psycopg.connect(**{**connection_settings(data), **settings}, autocommit=True) as connection:  # type: ignore[arg-type]  # parameters by name
        result = connection.execute(query.encode())
        return result.fetchall() if result.description else []
