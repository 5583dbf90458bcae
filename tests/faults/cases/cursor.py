"""The log itself: commits out of order, repeated posts."""

from __future__ import annotations

import asyncio
import time

from django.db import transaction

from accounts.models import User
from messaging.models import Message
from project.realtime.subscription import REPLAY_MAX
from rooms import log
from rooms.models import Event, Room
from tests.faults import wire
from tests.faults.history import Answer, Call
from tests.faults.load import Load
from tests.faults.stage import Control, Fault, Stage, waited_for

HELD = "held"  # tests.faults.site: such a message waits for lock 8 between its insert and its commit
PARALLEL = 8
MISSED = REPLAY_MAX + 10  # in each room, by those who were away


async def commits_out_of_order(stage: Stage) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    execute = stage.site.database.execute
    async with stage.load(rooms=2) as load:
        for _ in range(int(stage.lasting(4, 40))):
            with stage.site.database.as_superuser() as holder:
                holder.execute("SELECT pg_advisory_lock(8)")
                first = asyncio.create_task(load.say(load.posters[0], load.rooms[0], HELD))
                await waited_for(lambda: execute(waiting) == [(1,)], 2.0)
                others = [asyncio.create_task(load.say(person, load.rooms[0])) for person in load.posters[1:3]]
                await load.goes_on(0.6)
                overtook = sum(task.done() for task in others)
                holder.execute("SELECT pg_advisory_unlock(8)")
            await asyncio.gather(first, *others)
            stage.promise("nobody commits between another's insert and commit", overtook == 0, f"{overtook} did")


async def posted_repeatedly(stage: Stage) -> None:
    async with stage.load(rooms=2) as load:
        for _ in range(int(stage.lasting(6, 60))):
            author, somebody = load.posters[0], load.posters[1]
            here, elsewhere = load.rooms
            call = load.new_call(author, here)
            call.answers += await asyncio.gather(*(load.attempt(author, call) for _ in range(PARALLEL)))
            call.answers.append(await load.attempt(author, call))
            stage.promise("all nine answers are yes", *summed_up([a.outcome == "ok" for a in call.answers]))
            for room, text in ((here, "another text"), (elsewhere, call.body)):
                refused = await same_key(load, author.session, room, call, text)
                stage.promise("the same key for another message is refused", refused == 409, refused)
            theirs = load.new_call(somebody, here)
            status = await same_key(load, somebody.session, here, call, theirs.body)
            theirs.answers.append(Answer("ok" if status == 201 else "fail", time.monotonic()))
            stage.promise("somebody else may use the same key", status == 201, status)


def summed_up(kept: list[bool]) -> tuple[bool, str]:
    return all(kept), f"{sum(kept)} of {len(kept)}"


async def same_key(load: Load, session: str, room: str, call: Call, text: str) -> int:
    fields = {"text": text, "client_id": call.key}
    return (await wire.post(load.port, f"/rooms/{room}/messages/", session, fields)).status


def bulk_post(load: Load) -> dict[str, int]:
    """Write MISSED messages to every room, and return where the rooms' logs ended before."""
    author = User.objects.get(username=load.posters[0].name)
    return {slug: _fill(Room.objects.get(slug=slug), author, load) for slug in load.rooms}


def _fill(room: Room, author: User, load: Load) -> int:
    calls = [load.new_call(load.posters[0], room.slug) for _ in range(MISSED)]
    with transaction.atomic():
        room = log.lock(room)
        head = room.last_position
        messages = Message.objects.bulk_create(
            Message(room=room, author=author, position=position, client_id=call.key, text=call.body, html=call.body)
            for position, call in enumerate(calls, head + 1)
        )
        Event.objects.bulk_create(
            Event(room=room, position=message.position, kind=Event.Kind.MESSAGE_CREATED, actor=author, message=message)
            for message in messages
        )
        Room.objects.filter(pk=room.pk).update(last_position=head + MISSED)
    for position, call in enumerate(calls, head + 1):
        call.answers.append(Answer("ok", time.monotonic(), position))
    return head


FAULTS = [
    Fault(
        "FI-08",
        "commits forced out of order",
        commits_out_of_order,
        Control("cursor on a serial id, no row lock", "lost", commits_out_of_order, without="positions"),
    ),
    Fault(
        "FI-19",
        "the same message posted eight times at once, and once more later",
        posted_repeatedly,
        Control("idempotency off", "duplicated", posted_repeatedly, without="idempotency"),
    ),
]
