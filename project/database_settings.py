"""How Django reaches its database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from project import embedded, env

# Where the address has options of its own they come after these: the last one holds.
SESSION = (
    "-c statement_timeout=5s -c lock_timeout=2s -c idle_in_transaction_session_timeout=10s"
    " -c plan_cache_mode=force_generic_plan"
)


def read(url: str, data_dir: Path, *, pool: int) -> dict[str, Any]:
    """Return the settings of the server at DATABASE_URL, or without one of the embedded server.

    `pool` is how many connections one process opens for requests. Raises `ConfigurationError`.
    """
    try:
        parts = conninfo_to_dict(url) if url else embedded.connection_settings(data_dir)
    except ProgrammingError:
        raise env.ConfigurationError(
            "DATABASE_URL must be an address like postgresql://user:password@host:5432/database."
        ) from None
    options = parts.pop("options", "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        # Under ASGI a connection belongs to the pool, not to a thread.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **parts,
            "connect_timeout": 5,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # A pool that cannot connect gives up after a second: the next request makes it try again, where it would
            # sit out ever longer pauses of its own, long after the server is back.
            "pool": {"min_size": 2, "max_size": pool, "timeout": 5, "reconnect_timeout": 1},
            "options": f"{SESSION} {options}".rstrip(),
            # Of project.realtime.prepared alone: Django's own cursors prepare nothing.
            "prepare_threshold": 0,
        },
    }
