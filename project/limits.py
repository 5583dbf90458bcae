"""How often somebody may do something: counted in the database, so that it holds for all processes together.

`settings.LIMITS` names every limit, and says whether what it guards is let through (`open`) or refused (`closed`)
while it can't be counted.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.conf import settings
from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

# A bucket holds `burst` and gets one back every `seconds`. What is kept is when it will be full again: taking one puts
# that off by `seconds`, and is refused where it would be more than `burst` of them from now. Times are the database's.
_TAKE = """
INSERT INTO buckets AS bucket (key, full_at) VALUES (%(key)s, statement_timestamp() + %(cost)s * interval '1 second')
ON CONFLICT (key) DO UPDATE
SET full_at = GREATEST(bucket.full_at, statement_timestamp()) + %(cost)s * interval '1 second'
WHERE GREATEST(bucket.full_at, statement_timestamp()) + %(cost)s * interval '1 second'
    <= statement_timestamp() + %(span)s * interval '1 second'
RETURNING key
"""
_WAIT = """
SELECT wanted.key,
    ceil(extract(epoch FROM bucket.full_at - clock_timestamp()) + wanted.cost - wanted.span)::int AS seconds
FROM unnest(%(keys)s::text[], %(costs)s::float8[], %(spans)s::float8[]) AS wanted(key, cost, span)
JOIN buckets bucket ON bucket.key = wanted.key
WHERE extract(epoch FROM bucket.full_at - clock_timestamp()) + wanted.cost > wanted.span
ORDER BY seconds DESC LIMIT 1
"""
# A bucket that is full says no more than one that is not there. One that somebody takes from right now is left: waiting
# for it while holding others, which they may want next, would be a deadlock.
_SWEEP = """
DELETE FROM buckets WHERE key IN (
    SELECT key FROM buckets WHERE full_at < clock_timestamp() FOR UPDATE SKIP LOCKED
)
"""
_SWEEP_COUNTS = """
DELETE FROM limits WHERE key IN (
    SELECT key FROM limits WHERE began_at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED
)
"""
# A count whose window is over begins anew.
_COUNT = """
INSERT INTO limits AS taken (key, began_at, times) VALUES (%(key)s, clock_timestamp(), 1)
ON CONFLICT (key) DO UPDATE SET
    began_at = CASE WHEN taken.began_at <= clock_timestamp() - %(window)s::interval
        THEN clock_timestamp() ELSE taken.began_at END,
    times = CASE WHEN taken.began_at <= clock_timestamp() - %(window)s::interval THEN 1 ELSE taken.times + 1 END
RETURNING times, ceil(extract(epoch FROM began_at + %(window)s::interval - clock_timestamp()))::int
"""


class Limit(TypedDict):
    burst: int
    seconds: float
    fails: str


class TooOftenError(Exception):
    """The limit is reached for another `seconds`. `name` is the limit's, if it has one."""

    def __init__(self, seconds: int, name: str = "") -> None:
        super().__init__(seconds)
        self.seconds = max(1, seconds)
        self.name = name


@dataclass(frozen=True)
class Wanted:
    """One to be taken out of a bucket: `cost` is in how many seconds one comes back, `span` how long filling takes."""

    key: str
    cost: float
    span: float

    @property
    def name(self) -> str:
        return self.key.partition(":")[0]


def wanted(name: str, of: object) -> Wanted:
    """Return one of the limit of that name, for somebody or something."""
    limit: Limit = settings.LIMITS[name]
    cost = float(limit["seconds"])
    return Wanted(f"{name}:{of}", cost, cost * limit["burst"] * settings.LIMITS_FACTOR)


def take_one(name: str, of: object) -> None:
    """Take one of a named limit, for somebody or something; raises `TooOftenError` when there is none left."""
    asked = wanted(name, of)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, {"key": asked.key, "cost": asked.cost, "span": asked.span})
            is_taken = cursor.fetchone() is not None
    except DatabaseError:
        if settings.LIMITS[name]["fails"] == "closed":
            raise
        logger.warning("The limit %s could not be counted, and lets through", name)
        return
    if not is_taken:
        raise waiting_for([asked]) or TooOftenError(1, name)


def waiting_for(asked: Sequence[Wanted]) -> TooOftenError | None:
    """Return what is to be waited for until all of these can be taken, or None if they can."""
    keys, costs, spans = zip(*((each.key, each.cost, each.span) for each in asked), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, {"keys": list(keys), "costs": list(costs), "spans": list(spans)})
        row = cursor.fetchone()
    return TooOftenError(row[1], row[0].partition(":")[0]) if row else None


def sweep() -> None:
    """Forget the buckets that are full, and the counts of which no window is as long."""
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP)
        cursor.execute(_SWEEP_COUNTS)


def take(key: str, *, times: int, seconds: int) -> None:
    """Count one more; raises `TooOftenError` at more than `times` in `seconds`, counted from the first."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "window": f"{seconds} seconds"})
        taken, left = cursor.fetchone()
    if taken > times:
        raise TooOftenError(left)
