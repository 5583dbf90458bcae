from __future__ import annotations

import logging
from typing import Any


class RefusalsInOneLine(logging.Filter):
    """A request that was refused is one line: whoever sends nonsense does not fill the log with stacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = record.name == "django.request" and record.levelno < logging.ERROR
        if is_refusal or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


def configuration(level: str) -> dict[str, Any]:
    """Return what the setting LOGGING is."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
        "filters": {"refusals": {"()": "project.log.RefusalsInOneLine"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            # What is refused is the client's affair; it would fill the log, with a stack for every 403.
            "django.request": {"level": "ERROR"},
        },
    }
