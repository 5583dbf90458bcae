from __future__ import annotations

import logging
import re
from typing import Any

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class RefusalsInOneLine(logging.Filter):
    """A request that was refused is one line: whoever sends nonsense does not fill the log with stacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = record.name == "django.request" and record.levelno < logging.ERROR
        if is_refusal or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


class Line(logging.Formatter):
    """Writes what a client could have put into a message so that it begins no line and colours no terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", super().formatMessage(record))


def configuration(level: str) -> dict[str, Any]:
    """Return what the setting LOGGING is."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"class": "project.log.Line", "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
        },
        "filters": {"refusals": {"()": "project.log.RefusalsInOneLine"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            # What is refused is the client's affair; it would fill the log, with a stack for every 403.
            "django.request": {"level": "ERROR"},
        },
    }
