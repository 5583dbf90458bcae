"""A private room whose members read only what was said since they joined."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from messaging.actions import delete_message, edit_message, post_message
from messaging.models import Message
from messaging.moderation import report_message
from messaging.reactions import add_reaction
from rooms import actions
from rooms.models import Membership, Room
from tests.cast import Ear
from tests.conftest import client_of, join, leave
from tests.server import ServerProcess
from tests.streams import EventStream

JSON = {"Accept": "application/json"}
CANARY = "Canary before"


@dataclass
class Stage:
    room: Room
    old: Message  # said, with a file, before the newcomer joined
    quoting: Message  # said after, in answer to it
    file: str
    early: User
    late: User

    @property
    def path(self) -> str:
        return f"/rooms/{self.room.slug}"


@pytest.fixture
def stage(private_room: Room, owner: User) -> Stage:
    actions.change_policy(private_room, history="joined", actor=owner)
    room = Room.objects.get(pk=private_room.pk)
    early = join(room, "early")
    sending = client_of(owner)
    file = sending.post(f"/rooms/{room.slug}/files/?name=a.txt", b"x", content_type="text/plain").json()
    old = say(room, owner, CANARY, attachments=[file["id"]])
    late = join(room, "late")
    return Stage(room, old, say(room, owner, "after", reply_to=old), file["url"], early, late)


def say(room: Room, author: User, text: str, **fields: Any) -> Message:
    return post_message(room, author=author, text=text, client_id=uuid.uuid4(), **fields).message


def everything(stage: Stage, user: User) -> dict[tuple[str, str], tuple[int, bool]]:
    """Return what every way to read older things answers."""
    client, one = client_of(user), f"{stage.path}/messages/{stage.old.pk}"
    reads = [
        *(f"{stage.path}/{query}" for query in ("", f"?around={stage.old.position}", "?after=0", "?since=2000-01-01")),
        *(f"{stage.path}/messages/?{query}" for query in ("before=9", "after=0", "around=1", "since=2000-01-01")),
        f"{one}/revisions/",
        stage.file,
    ]
    answers = {}
    for path in reads:
        for name, headers in (("html", {}), ("json", JSON)):
            answer = client.get(path, headers=headers)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]  # a streaming one has it
            answers[path, name] = (answer.status_code, CANARY in body.decode())
    return answers


def test_older_messages_are_nowhere_for_whoever_joined_after(stage: Stage) -> None:
    found = everything(stage, stage.early)
    assert {status for status, _ in found.values()} == {200}
    assert sum(leaks for _, leaks in found.values()) > 10
    late = everything(stage, stage.late)
    assert {key for key, (_, leaks) in late.items() if leaks} == set()
    refused = {path for (path, _), (status, _) in late.items() if status != 200}
    assert refused == {f"{stage.path}/messages/{stage.old.pk}/revisions/", stage.file}


def test_nothing_can_be_done_with_older_messages(stage: Stage) -> None:
    client, one = client_of(stage.late), f"{stage.path}/messages/{stage.old.pk}"
    assert client_of(stage.early).post(f"{one}/reactions/", {"emoji": "👍"}, headers=JSON).status_code == 200
    forward = {"room": stage.room.slug, "client_id": str(uuid.uuid4())}
    for action, fields in (
        ("edit", {"text": "x"}),
        ("delete", {}),
        ("reactions", {"emoji": "👍"}),
        ("forward", forward),
    ):
        assert client.post(f"{one}/{action}/", fields, headers=JSON).status_code == 404
    reply = {"text": "x", "client_id": str(uuid.uuid4()), "reply_to": stage.old.pk}
    assert client.post(f"{stage.path}/messages/", reply, headers=JSON).status_code == 400
    # Nor does an answer to something else quote them.
    reaction = client.post(f"{stage.path}/messages/{stage.quoting.pk}/reactions/", {"emoji": "👍"}, headers=JSON)
    assert (reaction.status_code, reaction.json()["reply_to"]) == (200, None)


def test_reports_of_older_messages_wait_for_those_who_can_read_them(
    transactional_db: None, stage: Stage, owner: User
) -> None:
    membership = Membership.objects.get(room=stage.room, user=stage.late)
    actions.change_role(membership, role=Membership.Role.MODERATOR, actor=owner)
    late, path = client_of(stage.late), f"{stage.path}/reports/"

    def badge(client: Client) -> str:
        page = client.get(f"{stage.path}/").content.decode()
        return page.partition("data-report-count>")[2].partition("<")[0]

    with Ear(stage.room.channel_name) as ear:
        old = report_message(stage.old, reason="x", reporter=stage.early)
        told = [json.loads(payload) for payload in ear.heard()]
    assert {(each["data"]["count"], *each["only"]) for each in told} == {(1, owner.pk), (0, stage.late.pk)}
    assert (badge(client_of(owner)), badge(late)) == ("1", "0")
    assert late.post(f"{path}{old.pk}/", {"outcome": "deleted"}).status_code == 404
    assert not Message.objects.get(pk=stage.old.pk).is_deleted
    new = report_message(stage.quoting, reason="x", reporter=stage.early)
    assert (badge(client_of(owner)), badge(late)) == ("2", "1")
    assert late.post(f"{path}{new.pk}/", {"outcome": "deleted"}).status_code == 302
    assert client_of(owner).post(f"{path}{old.pk}/", {"outcome": "deleted"}).status_code == 302
    assert Message.objects.get(pk=stage.old.pk).is_deleted


def test_read_position_does_not_go_back_before_the_joining(stage: Stage) -> None:
    client_of(stage.late).post(f"{stage.path}/unread/", {"position": 1})
    membership = Membership.objects.get(room=stage.room, user=stage.late)
    assert membership.last_read_position == membership.joined_position


def test_who_comes_back_begins_anew(stage: Stage) -> None:
    leave(stage.room, stage.early)
    actions.add_member(stage.room, member=stage.early, actor=stage.late)
    assert True not in {leaks for _, leaks in everything(stage, stage.early).values()}


def test_opened_history_is_open_to_all_members(stage: Stage, owner: User) -> None:
    actions.change_policy(stage.room, history="full", actor=owner)
    assert everything(stage, stage.late) == everything(stage, stage.early)


def test_streams_replay_and_tell_only_what_is_after_the_joining(
    server: ServerProcess, stage: Stage, owner: User
) -> None:
    with (
        EventStream(server, client_of(stage.early), f"{stage.path}/stream/?after=0&format=html") as early,
        EventStream(server, client_of(stage.late), f"{stage.path}/stream/?after=0&format=html") as late,
    ):
        whole, shown = until(early, stage.quoting.position), until(late, stage.quoting.position)
        edit_message(stage.old, text=f"{CANARY}, edited", actor=owner)
        add_reaction(stage.old, emoji="👍", actor=owner)
        say(stage.room, owner, "live", reply_to=stage.old)
        delete_message(stage.old, actor=owner)
        last = Room.objects.get(pk=stage.room.pk).last_position
        whole += until(early, last)
        shown += until(late, last)
    for found, person in ((whole, stage.early), (shown, stage.late)):
        joined = Membership.objects.get(user=person).joined_position
        assert [event.id for event in found] == [str(number) for number in range(joined + 1, last + 1)]
    assert CANARY in repr(whole)
    assert CANARY not in repr(shown)
    by_kind = {event.event: event.data for event in shown}
    assert [by_kind[kind]["message"] for kind in ("message_edited", "reaction_added", "message_deleted")] == [None] * 3
    created = by_kind["message_created"]
    assert (created["message"]["text"], created["message"]["reply_to"]) == ("live", None)
    assert 'class="quote"' not in created["row"]


def test_streams_begin_anew_where_the_history_is_closed_or_opened(
    server: ServerProcess, stage: Stage, owner: User
) -> None:
    with EventStream(server, client_of(stage.late), f"{stage.path}/stream/") as stream:
        actions.change_policy(stage.room, history="full", actor=owner)
        assert [event.data["state"]["policy"][-4:] for event in stream.rest()] == ["full"]
    with EventStream(server, client_of(stage.late), f"{stage.path}/stream/?after=0") as stream:
        assert CANARY in repr(until(stream, stage.old.position))


def until(stream: EventStream, position: int) -> list[Any]:
    found = []
    for event in stream.events():
        found.append(event)
        if event.id == str(position):
            return found
    raise AssertionError("the stream ended")
