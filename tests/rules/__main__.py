"""`make lint` runs this: rules of the sources, and the least versions of what they stand on."""

import sys

from tests.rules import audit, rules

if __name__ == "__main__":
    sys.exit("\n".join([*rules.found(), *audit.found()]) or 0)
