"""How a process ends while what it does in threads of its own goes on."""

from __future__ import annotations

import signal
import sys

from tests.project.processes import SpeakingProcess

# Each hangs for ever, as in a database that does.
CODE = """
import asyncio, os, threading
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
import django
django.setup()
from project.chores import Chore
from project.realtime.reader import ReaderThread

has_begun, never = threading.Semaphore(0), threading.Event()

def hang():
    has_begun.release()
    never.wait()

async def main():
    chore, reader = Chore(hang, every=0), ReaderThread()
    chore.start()
    reading = asyncio.create_task(reader.run(hang))
    for _ in range(2):
        await asyncio.to_thread(has_begun.acquire)
    print("both hang", flush=True)
    await chore.stop()
    reader.close()

asyncio.run(main())
print("it is over", flush=True)
"""


def test_process_that_ends_waits_neither_for_a_chore_nor_for_the_reader() -> None:
    process = SpeakingProcess(sys.executable, "-c", CODE)
    try:
        process.wait_until("both hang").wait_until("it is over")
        assert process.leave() == (0, "")
    finally:
        process.process.send_signal(signal.SIGKILL)
        process.process.communicate()
