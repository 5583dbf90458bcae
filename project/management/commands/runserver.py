"""`manage.py runserver` serves ASGI, by Daphne.

Daphne is no installed app: as one it would bring Twisted into every process that serves, a quarter of a second of each
start and some megabytes of each worker.
"""

import daphne.server  # noqa: F401 (puts Twisted on asyncio before anything else can choose)
from daphne.management.commands.runserver import Command

__all__ = ["Command"]
