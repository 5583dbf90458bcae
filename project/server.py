"""Uvicorn, as Earshot runs it: streams end cleanly, a signal ends it with exit code 0, dead workers are replaced."""

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Protocol, cast

import uvicorn
from uvicorn.supervisors.multiprocess import Process

from project.request_limits import HeadLimit

APPLICATION = "project.asgi:application"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DRAIN_SECONDS = 1.5
GRACEFUL_SECONDS = 5  # for the requests in flight; together they stay below the 8 s that a stop may take
READY_SECONDS = 60.0
POLL_SECONDS = 0.1
OPEN_FILES = 65_536

logger = logging.getLogger(__name__)


class Streaming(Protocol):
    def be_one_of(self, processes: int) -> None:
        """Know how many processes serve this machine."""

    async def drain(self) -> None:
        """End every open stream."""


def configuration(workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        APPLICATION,
        workers=workers,
        interface="asgi3",
        http=HeadLimit,
        loop="asyncio" if sys.platform == "win32" else "uvloop",
        ws="none",
        lifespan="on",
        log_config=None,  # Django's LOGGING has the word
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # allauth and Django read them, by settings of their own
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )


class Server(uvicorn.Server):
    """One process. On a signal it takes no new connections, drains the streams, and answers what is in flight."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self.on_ready = on_ready

    @property
    def streaming(self) -> Streaming:
        return cast(Streaming, self.config.loaded_app)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.streaming.be_one_of(self.config.workers)
        await super().startup(sockets)
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self.drain()
        await super().shutdown(sockets)

    async def drain(self) -> None:
        draining = asyncio.ensure_future(self.streaming.drain())
        deadline = time.monotonic() + DRAIN_SECONDS
        while not (draining.done() or self.force_exit or time.monotonic() > deadline):
            await asyncio.wait({draining}, timeout=POLL_SECONDS)
        draining.cancel()
        (outcome,) = await asyncio.gather(draining, return_exceptions=True)
        if isinstance(outcome, Exception):
            logger.error("The streams could not be ended", exc_info=outcome)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike Uvicorn's, without raising the signal again afterwards: a stop that was asked for is a success."""
        handlers = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


class Worker(Process):
    """One of several server processes. It leaves when its supervisor is gone, however that ended."""

    @property
    def server(self) -> Server:
        if self._server is None:
            self._server = Server(self.config)
        return cast(Server, self._server)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        # The copy of the supervisor's end that came along; while it is open, its closing can't be noticed.
        self.parent_conn.close()
        super().target(sockets)

    def always_pong(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            super().always_pong()
        os.kill(os.getpid(), signal.SIGTERM)


class Supervisor:
    """Several workers on one listening socket; one that died or hangs is replaced."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        self.config = config
        self.listener = listener
        self.on_ready = on_ready
        self.leaving = threading.Event()
        self.workers: list[Worker] = []

    def run(self) -> bool:
        """Run until a signal; returns whether the workers ever served."""
        with self._signals_noted():
            try:
                served = self._serve()
            finally:
                self._stop()  # whatever happened: Python waits for workers that nobody has told to leave
        return served or self.leaving.is_set()

    def _serve(self) -> bool:
        for _ in range(self.config.workers):
            self.workers.append(self._started_worker())
        served = all(worker.wait_until_ready(READY_SECONDS, self.leaving) for worker in self.workers)
        if served:
            self.on_ready()
            while not self.leaving.wait(1.0):
                self._replace_dead()
        return served

    def _started_worker(self) -> Worker:
        worker = Worker(self.config, [self.listener])
        worker.start()
        return worker

    def _replace_dead(self) -> None:
        for place, worker in enumerate(self.workers):
            if worker.is_alive(self.config.timeout_worker_healthcheck) or self.leaving.is_set():
                continue
            logger.error("Worker %s died or hung (exit code %s); starting another", worker.pid, worker.exitcode)
            worker.kill()
            worker.join()
            try:
                self.workers[place] = self._started_worker()
            except OSError as error:  # no memory, process or file is left: the next look tries again
                logger.error("A worker could not be started: %s", error.strerror)

    def _stop(self) -> None:
        for worker in self.workers:
            worker.terminate()
        deadline = time.monotonic() + DRAIN_SECONDS + GRACEFUL_SECONDS + 0.5
        for worker in self.workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    @contextlib.contextmanager
    def _signals_noted(self) -> Iterator[None]:
        def leave(_number: int, _frame: FrameType | None) -> None:
            self.leaving.set()

        handlers: dict[signal.Signals, Any] = {number: signal.signal(number, leave) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def raise_file_limit() -> None:
    """Let this process, and its workers, have as many streams open as the machine allows, where that is not Windows.

    What a login or a service gets by itself is often 1,024 files.
    """
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def serve(listener: socket.socket, workers: int, on_ready: Callable[[], None]) -> bool:
    """Serve the application on the socket until a signal; returns False when it could not be started."""
    raise_file_limit()
    config = configuration(workers)
    if workers > 1:
        return Supervisor(config, listener, on_ready).run()
    server = Server(config, on_ready)
    with contextlib.suppress(SystemExit):
        server.run([listener])
    return server.started
