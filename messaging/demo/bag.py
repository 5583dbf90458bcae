from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Fit = TypeVar("Fit")

_APART = 3


class Bag(Generic[Thing]):
    """Hands out its things in a random order, none again right after itself."""

    def __init__(self, things: Iterable[Thing], random: Random) -> None:
        self._things = list(things)
        self._random = random
        self._pile: list[Thing] = []
        self._recent: deque[Thing] = deque(maxlen=min(_APART, len(self._things) // 2))

    def next(self) -> Thing:
        thing, _ = self.take(lambda thing: True) or (self._things[0], True)
        return thing

    def take(self, fit: Callable[[Thing], Fit | None]) -> tuple[Thing, Fit] | None:
        """Return the next thing for which `fit` returns something, and what it returned; None if there is none."""
        for refill in (False, True):
            if refill:
                self._pile = self._random.sample(self._things, len(self._things))
            for place, thing in enumerate(self._pile):
                found = None if thing in self._recent else fit(thing)
                if found is not None:
                    del self._pile[place]
                    self._recent.append(thing)
                    return thing, found
        return None
