"""`make bench`: what Earshot costs, each figure beside a floor or a rival measured in the same run."""

import sys

from tests.benchmarks import environment

environment.set_up()

from tests.benchmarks.command import main  # noqa: E402 (it has models)

if __name__ == "__main__":
    sys.exit(main())
