"""Signals that end a process by unwinding it, so that every `finally` on the way out is run."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType


@contextmanager
def unwound_by_signals(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Inside the block these signals raise SystemExit, unless somebody else handles or ignores them already."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
