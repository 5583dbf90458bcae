from __future__ import annotations

import logging
import sys

from project.log import Line


def test_what_a_client_sent_begins_no_line_and_colours_nothing() -> None:
    line = Line("{levelname} {message}", style="{")
    record = logging.makeLogRecord({"levelname": "ERROR", "msg": "a %s", "args": ("b\r\nERROR c\x1b[31m\u2028\x9b",)})
    assert line.format(record) == r"ERROR a b\x0d\x0aERROR c\x1b[31m\x2028\x9b"


def test_stack_keeps_its_lines() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    assert Line().format(record).splitlines()[:2] == ["failed", "Traceback (most recent call last):"]
