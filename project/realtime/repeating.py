"""What is done again and again, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)


async def repeated(chore: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Do a chore for ever; one that fails is logged and done again."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except Exception:
            logger.exception("A chore failed and will be done again")
