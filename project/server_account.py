"""The system account that runs PostgreSQL: one's own, or `earshot` for root, whom PostgreSQL refuses."""

import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

NAME = "earshot"
SEARCH = stat.S_IXOTH
READ = stat.S_IROTH


class AccountError(Exception):
    """Why there is no account for PostgreSQL, as one sentence."""


class ProcessOwner(TypedDict, total=False):
    """The arguments of subprocess that start a program under an account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServerAccount:
    uid: int
    gid: int

    @classmethod
    def choose(cls, cluster: Path) -> "ServerAccount":
        """One's own account; for root, the owner of the data that is there already, else the account `earshot`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        if cluster.exists() and (found := cluster.stat()).st_uid != 0:
            return cls(found.st_uid, found.st_gid)
        entry = _system_user()
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def is_another(self) -> bool:
        return self.uid != os.geteuid()

    def process_owner(self) -> ProcessOwner:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_another else {}

    def take(self, path: Path | int) -> None:
        """Make a file or directory that we have just made belong to the account."""
        if self.is_another:
            os.chown(path, self.uid, self.gid)

    def reach(self, path: Path, say: Callable[[str], None]) -> None:
        """Let the account pass through the directories above `path`. They can be entered then, but not listed."""
        for directory in path.parents if self.is_another else ():
            mode = directory.stat().st_mode
            if not mode & SEARCH and directory.stat().st_uid != self.uid:
                directory.chmod(stat.S_IMODE(mode) | SEARCH)
                name = pwd.getpwuid(self.uid).pw_name
                say(f"PostgreSQL runs as the user {name}: {directory} may be passed through (not read) by others now.")

    def read(self, tree: Path) -> None:
        """Let the account read and run everything under `tree`, which a strict umask may have kept from it."""
        if not self.is_another:
            return
        for path in (tree, *tree.rglob("*")):
            mode = path.stat().st_mode
            wanted = mode | READ | (SEARCH if mode & stat.S_IXUSR else 0)
            if wanted != mode:
                path.chmod(stat.S_IMODE(wanted))


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        _add_system_user()
    return pwd.getpwnam(NAME)


def _add_system_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise AccountError(
            f"PostgreSQL doesn't run as root, and the system user {NAME} can't be made ({said.strip()}); "
            "start Earshot as an ordinary user, or set DATABASE_URL."
        ) from error
