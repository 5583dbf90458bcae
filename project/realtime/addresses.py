"""How many streams come from one address."""

from __future__ import annotations

import logging
from collections import Counter

logger = logging.getLogger(__name__)


class Addresses:
    """Counts a process's open streams by the address that they were asked for from; of one that is not known, none."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def is_full(self, address: str) -> bool:
        is_full = self._most is not None and self._open[address] >= self._most
        if is_full:
            logger.warning(
                "%s has as many streams as STREAMS_PER_ADDRESS allows, %d. If that is a proxy, set TRUSTED_PROXIES",
                address,
                self._most,
            )
        return is_full

    def enter(self, address: str) -> None:
        if address:
            self._open[address] += 1

    def leave(self, address: str) -> None:
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]
