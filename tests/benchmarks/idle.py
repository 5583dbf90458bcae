"""What open streams hold while nothing happens: memory, database connections, threads."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from tests.benchmarks.child import Child, Usage
from tests.benchmarks.environment import OURS
from tests.benchmarks.figures import Figure
from tests.benchmarks.posting import stream_path
from tests.benchmarks.stage import Stage
from tests.server import ServerProcess

STREAMS = 500
WARM_UP = 64  # streams opened and dropped first: what a process needs once is not counted for each stream


def measure(stage: Stage) -> Iterator[Figure]:
    streams = stage.pick(STREAMS, short=200)
    room, people = stage.room(streams)
    cookies = [person.cookie for person in people]
    with stage.server() as (server, usage), Child("listeners") as crowd:
        warm_up(server, usage, crowd, stream_path(room), cookies)
        memory, threads = usage.memory, usage.threads
        crowd.ask("open", port=server.port, path=stream_path(room), cookies=cookies)
        usage.settle()
        yield Figure(
            f"memory per open stream, {streams} streams", (usage.memory - memory) / streams / 1024, "KB", bar=14
        )
        pool = settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]
        name = f"database connections, {streams} idle streams (a pool of up to {pool}, a listener, a reader)"
        yield Figure(name, _connections(), "", bar=pool + 2, is_count=True)
        came = max(0, usage.threads - threads)
        most = settings.REQUEST_THREADS
        name = f"threads that came with {streams} streams (requests have up to {most})"
        yield Figure(name, came, "", bar=most, is_count=True)


def warm_up(server: ServerProcess, usage: Usage, crowd: Child, path: str, cookies: list[str]) -> None:
    crowd.ask("open", port=server.port, path=path, cookies=cookies[:WARM_UP])
    crowd.ask("cut")
    usage.settle()


def _connections() -> int:
    """How many the server has: all to this database but the benchmark's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> %s",
            [OURS],
        )
        return int(cursor.fetchone()[0])
