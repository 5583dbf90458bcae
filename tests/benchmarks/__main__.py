"""`make bench`: what Earshot costs, each figure beside a floor or a rival measured in the same run."""

from tests.benchmarks import environment  # isort: split (before Django's settings are read)

import argparse
import sys
import time
from collections.abc import Callable, Iterator

import django

django.setup()

from tests.benchmarks import burst, fanout, figures, idle, posts, stage, storm, volume, writers  # noqa: E402 (Django is set up first)
from tests.benchmarks.answering import raise_file_limit  # noqa: E402

MEASURES: dict[str, Callable[[stage.Stage], Iterator[figures.Figure]]] = {
    "fanout": fanout.measure,
    "burst": burst.measure,
    "idle": idle.measure,
    "posts": posts.measure,
    "writers": writers.measure,
    "storm": storm.measure,
    "volume": volume.measure,
}


def main() -> int:
    arguments = _arguments()
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {line}\n")
        sys.stderr.flush()

    raise_file_limit()
    found: list[figures.Figure] = []
    with stage.built(say, is_full=arguments.full) as built:
        for name in arguments.only or MEASURES:
            say(f"{name}: {MEASURES[name].__module__}")
            for figure in MEASURES[name](built):
                found.append(figure)
                say("    " + " | ".join(filter(None, figure.as_row())))
    sys.stdout.write(figures.table(found) + "\n")
    figures.write(found, environment.VAR / "bench.json")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--only", action="append", choices=MEASURES, help="measure only this; may be repeated")
    parser.add_argument("--full", action="store_true", help="with thousands of streams and a million messages")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
