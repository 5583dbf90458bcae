from __future__ import annotations

import logging


class RefusalsInOneLine(logging.Filter):
    """A request that was refused is one line: whoever sends nonsense does not fill the log with stacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = record.name == "django.request" and record.levelno < logging.ERROR
        if is_refusal or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
