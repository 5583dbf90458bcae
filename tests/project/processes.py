"""A process whose lines are waited for, with a bound."""

import os
import selectors
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

BOUND = 60.0
TOP = Path(__file__).resolve().parents[2]


class SpeakingProcess:
    """`said` has the lines heard so far; stderr is read at the end, so little may be written to it."""

    def __init__(self, *command: str | Path, environment: dict[str, str] | None = None) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            command,
            cwd=TOP,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._heard = b""

    def wait_until(self, beginning: str) -> Self:
        """Wait for a line that begins like this."""
        deadline = time.monotonic() + BOUND
        while not any(line.startswith(beginning) for line in self.said):
            assert self._hear(deadline - time.monotonic()), (
                f"no {beginning!r} after {self.said}; it complained: {self.leave(signal.SIGKILL)[1]}"
            )
        return self

    def leave(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Close its input, or send it a signal; return its exit code and what it complained of."""
        if number is not None:
            self.process.send_signal(number)
            self.process.wait(BOUND)
        complaint = self.process.communicate(timeout=BOUND)[1].decode()
        return self.process.returncode, complaint.strip()

    def _hear(self, seconds: float) -> bool:
        stdout = self.process.stdout
        assert stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(max(0.0, seconds)):
                return False
        chunk = os.read(stdout.fileno(), 65_536)
        *lines, self._heard = (self._heard + chunk).split(b"\n")
        self.said += [line.decode() for line in lines]
        return chunk != b""
