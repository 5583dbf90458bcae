"""Whether what is installed, pinned and asked for is at least what least_versions.toml says. It works offline."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import Version

TOP = Path(__file__).resolve().parents[2]


class Least(NamedTuple):
    version: Version
    why: str


def least_versions() -> dict[str, Least]:
    listed = tomllib.loads((Path(__file__).parent / "least_versions.toml").read_text())
    return {name: Least(Version(entry["least"]), entry["why"]) for name, entry in listed.items()}


def installed() -> dict[str, Version]:
    return {normal(each.metadata["Name"]): Version(each.version) for each in distributions() if each.metadata["Name"]}


def pinned(text: str) -> dict[str, Version]:
    """Return what constraints.txt pins; whatever it leaves open is not in it."""
    pairs = (line.split("==") for line in text.splitlines() if "==" in line and not line.startswith("#"))
    return {normal(name): Version(version.strip()) for name, version in pairs}


def asked_for(text: str) -> list[Requirement]:
    project = tomllib.loads(text)["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


def too_old(versions: Mapping[str, Version], where: str) -> Iterator[str]:
    for name, least in least_versions().items():
        if name in versions and versions[name] < least.version:
            yield f"{where}: {name} {versions[name]} is older than {least.version}. {least.why}."


def unpinned(requirements: list[Requirement], pins: Mapping[str, Version]) -> Iterator[str]:
    for requirement in requirements:
        if normal(requirement.name) not in pins:
            yield f"constraints.txt: {requirement.name} is not pinned."


def found() -> list[str]:
    """Return all that is wrong, a sentence each."""
    pins = pinned((TOP / "constraints.txt").read_text())
    return [
        *too_old(installed(), "installed"),
        *too_old(pins, "constraints.txt"),
        *unpinned(asked_for((TOP / "pyproject.toml").read_text()), pins),
    ]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
