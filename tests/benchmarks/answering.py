"""The child's side of `child.Child`: commands in, answers out, a line of JSON each."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

LINE_BYTES = 64 * 1024**2

Answer = Callable[..., Awaitable[Any]]


def raise_file_limit() -> int:
    """Allow this process, and those it starts, as many open sockets as the machine lets it; return how many."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def run(commands: Callable[[], dict[str, Answer]]) -> None:
    """Answer commands until the input ends. `commands` is called inside the event loop."""
    raise_file_limit()
    uvloop.run(_answer_all(commands))


async def _answer_all(commands: Callable[[], dict[str, Answer]]) -> None:
    known = commands()
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        arguments = json.loads(line)
        try:
            answer = {"answer": await known[arguments.pop("command")](**arguments)}
        except Exception as error:  # noqa: BLE001 (the one who asked is told)
            answer = {"error": repr(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
