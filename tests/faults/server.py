"""The shipped server as something to break."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import choice

import psutil

from tests.faults import wire
from tests.faults.postgres import POLL_SECONDS, START_SECONDS, STOP_SECONDS, signal_all
from tests.server import ROOT

# Below those that the kernel gives to connections: many are made here, and one could be in the way.
PORTS = range(15_000, 32_000)


def quiet_port() -> int:
    """Return a port that nobody listens on."""
    while True:
        port = choice(PORTS)  # noqa: S311
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


class Server:
    """`manage.py serve` with some workers; with `without`, the same with that safety taken off."""

    def __init__(self, log: Path, workers: int = 2, without: str | None = None, **environment: str) -> None:
        self.port = quiet_port()
        self.workers = workers
        self.without = without
        self.log = log
        self._environment = {**os.environ, **environment}
        self.process: psutil.Popen | None = None

    async def start(self, *arguments: str) -> None:
        program = ["manage.py"]
        if self.without:
            program = ["-m", "tests.faults.unsafe_server"]
            self._environment["EARSHOT_FAULTS_WITHOUT"] = self.without
        command = [sys.executable, *program, "serve", "--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self.process = psutil.Popen(
                [*command, *arguments],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        await self.wait_until_ready()

    async def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until every worker has said several times that it is ready."""
        deadline = time.monotonic() + seconds
        in_a_row = 0
        while in_a_row < 3 * self.workers:
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"the server did not get ready; see {self.log}")
            in_a_row = in_a_row + 1 if await self.is_ready() else 0
            await asyncio.sleep(0 if in_a_row else POLL_SECONDS)

    async def is_ready(self) -> bool:
        try:
            return (await wire.get(self.port, "/readyz", "", seconds=5)).status == 200
        except OSError:
            return False

    def worker_processes(self) -> list[psutil.Process]:
        """The workers; multiprocessing's resource tracker is a child too and serves nothing."""
        children = self.process.children() if self.process else []
        return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; a server that does not leave in time is killed and an error."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return 0
        workers = process.children(recursive=True)
        process.send_signal(number)
        try:
            code: int = await asyncio.to_thread(process.wait, STOP_SECONDS)
        except psutil.TimeoutExpired:
            signal_all([process, *workers], signal.SIGKILL)
            raise AssertionError(f"the server did not stop within {STOP_SECONDS:.0f} s; see {self.log}") from None
        await asyncio.to_thread(psutil.wait_procs, workers, STOP_SECONDS)
        return code

    async def kill_all(self) -> None:
        """SIGKILL for the supervisor and its workers at once."""
        process, self.process = self.process, None
        if process:
            everyone = [process, *process.children(recursive=True)]
            signal_all(everyone, signal.SIGKILL)
            await asyncio.to_thread(psutil.wait_procs, everyone, STOP_SECONDS)
