"""How PostgreSQL would run a hand-written statement."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db import connection, transaction


def plan_of(statement: str, parameters: Sequence[int]) -> str:
    """Return the plan that is made once for all values, as for statements that stay prepared; the values are bigint."""
    places = iter(range(1, len(parameters) + 1))
    numbered = re.sub("%s", lambda _match: f"${next(places)}", statement)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE planned ({', '.join(['bigint'] * len(parameters))}) AS {numbered}")
        cursor.execute(f"EXPLAIN EXECUTE planned ({', '.join(map(str, parameters))})")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("DEALLOCATE planned")
    return plan
