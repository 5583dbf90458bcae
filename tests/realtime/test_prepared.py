from __future__ import annotations

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from project.realtime import prepared

pytestmark = pytest.mark.django_db


def statements() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%%' || %s || '%%'", ["fives"]
        )
        return [row[0] for row in cursor.fetchall()]


def test_statement_is_prepared_once_and_used_again() -> None:
    assert statements() == []
    for number in (5, 10):
        assert prepared.fetch("SELECT %s::int / 5 AS fives", [number]) == [(number // 5,)]
    assert statements() == ["SELECT $1::int / 5 AS fives"]


def test_statement_belongs_to_the_transaction_and_fails_as_djangos_do() -> None:
    with pytest.raises(DataError), transaction.atomic():
        prepared.fetch("SELECT 1 / %s::int", [0])
    assert prepared.fetch("SELECT 1", []) == [(1,)]


def test_statement_is_seen_by_whoever_counts_queries() -> None:
    with CaptureQueriesContext(connection) as queries:
        prepared.fetch("SELECT %s::int AS counted", [7])
    assert [query["sql"] for query in queries] == ["SELECT 7::int AS counted"]
