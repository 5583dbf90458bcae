"""The processes that a measurement is made of, and what they cost."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import psutil

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 300.0
QUIET_SECONDS = 0.3
QUIET_CPU = 0.02  # of QUIET_SECONDS, in seconds
SETTLE_SECONDS = 20.0


class Child:
    """A module of this package run as a process that answers each line of JSON with one of its own."""

    def __init__(self, module: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.{module}"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.usage = Usage(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream("stdin").close()  # the end of its input is its end
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stream("stdout").close()

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command and return its answer; raises when there is none, or it says that it failed."""
        self.send(command, **arguments)
        return self.answer()

    def send(self, command: str, **arguments: Any) -> None:
        self._stream("stdin").write(json.dumps({"command": command, **arguments}) + "\n")

    def answer(self) -> Any:
        stdout = self._stream("stdout")
        if not select.select([stdout], [], [], ANSWER_SECONDS)[0]:
            raise TimeoutError(f"{self._process.args!r} did not answer in {ANSWER_SECONDS:.0f} s")
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with exit code {self._process.wait(10)}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self._process.args!r}: {answer['error']}")
        return answer["answer"]

    def _stream(self, name: str) -> TextIO:
        stream: TextIO = getattr(self._process, name)
        return stream


class Usage:
    """What a process has used of the machine so far."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid)

    @property
    def cpu(self) -> float:
        """Seconds of CPU time, the kernel's work for it included."""
        times = self._process.cpu_times()
        return times.user + times.system

    @property
    def memory(self) -> int:
        """Bytes of memory that are its own."""
        return int(self._process.memory_info().rss)

    @property
    def threads(self) -> int:
        return int(self._process.num_threads())

    def settle(self) -> None:
        """Wait, with a bound, until the process has little to do."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            before = self.cpu
            time.sleep(QUIET_SECONDS)
            if self.cpu - before <= QUIET_CPU:
                return
