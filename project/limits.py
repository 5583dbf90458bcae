"""How often somebody may do something: counted in the database, so that it holds for all processes together."""

from __future__ import annotations

from django.db import connection

# A count whose window is over begins anew.
_TAKE = """
INSERT INTO limits AS taken (key, began_at, times) VALUES (%(key)s, clock_timestamp(), 1)
ON CONFLICT (key) DO UPDATE SET
    began_at = CASE WHEN taken.began_at <= clock_timestamp() - %(window)s::interval
        THEN clock_timestamp() ELSE taken.began_at END,
    times = CASE WHEN taken.began_at <= clock_timestamp() - %(window)s::interval THEN 1 ELSE taken.times + 1 END
RETURNING times, ceil(extract(epoch FROM began_at + %(window)s::interval - clock_timestamp()))::int
"""


class TooOftenError(Exception):
    """The limit is reached for another `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def take(key: str, *, times: int, seconds: int) -> None:
    """Count one more; raises `TooOftenError` at more than `times` in `seconds`, counted from the first."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "window": f"{seconds} seconds"})
        taken, left = cursor.fetchone()
    if taken > times:
        raise TooOftenError(max(1, left))
