"""A process that sends files, all at once: `python -m tests.benchmarks.uploaders`."""

from __future__ import annotations

import asyncio
import http.client
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.benchmarks import answering

ANSWER_SECONDS = 240.0


async def upload(port: int, path: str, cookies: list[str], file: str) -> dict[str, Any]:
    """Send the file once for each cookie, each by a connection of its own; return the answers' statuses and seconds."""
    data = Path(file).read_bytes()  # noqa: ASYNC240 (nothing else is being done yet)
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    with ThreadPoolExecutor(len(cookies)) as threads:
        jobs = [loop.run_in_executor(threads, _upload, port, path, cookie, data) for cookie in cookies]
        statuses = await asyncio.gather(*jobs)
    return {"statuses": statuses, "seconds": time.monotonic() - began}


def _upload(port: int, path: str, cookie: str, data: bytes) -> int:
    token = secrets.token_hex(16)
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/octet-stream",
        "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}",
        "X-CSRFToken": token,
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    connection.request("POST", path, data, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


if __name__ == "__main__":
    answering.run(lambda: {"upload": upload})
