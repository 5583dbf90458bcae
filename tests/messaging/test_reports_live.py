"""How many reports wait is shown to those who moderate the room, at once, and to nobody else."""

from __future__ import annotations

import uuid

from accounts.models import User
from messaging.actions import post_message
from messaging.models import Message
from messaging.moderation import decide_report, report_message
from messaging.reports import Report
from rooms.models import Membership, Room
from tests.cast import Ear
from tests.conftest import client_of, join
from tests.factories import MessageFactory, UserFactory
from tests.server import ServerProcess
from tests.streams import EventStream, StreamEvent

LAST = "That was all"


def listen(server: ServerProcess, room: Room, user: User) -> EventStream:
    return EventStream(server, client_of(user), f"/rooms/{room.slug}/stream/")


def heard(stream: EventStream) -> list[StreamEvent]:
    """Return what a stream shows before the message that was posted last."""
    found: list[StreamEvent] = []
    for event in stream.events():
        if event.data.get("message", {}).get("text") == LAST:
            return found
        found.append(event)
    raise AssertionError("the stream ended before the last message")


def test_moderators_streams_tell_of_reports_and_no_others(server: ServerProcess, room: Room, owner: User) -> None:
    moderator, author = join(room, "moderator", Membership.Role.MODERATOR), join(room, "author")
    reporter, other = join(room, "reporter"), join(room, "other")
    message = MessageFactory.create(room=room, author=author)
    told = [listen(server, room, person) for person in (owner, moderator)]
    untold = [listen(server, room, person) for person in (author, reporter, other)]
    try:
        first = report_message(message, reason="Canary Reason", reporter=reporter)
        report_message(message, reason="Again", reporter=reporter)  # still the one, and nothing to tell
        report_message(message, reason="Me too", reporter=other)
        decide_report(first, outcome=Report.Outcome.DISMISSED, actor=moderator)
        post_message(room, author=owner, text=LAST, client_id=uuid.uuid4())
        for stream in told:
            events = heard(stream)
            assert [(event.event, event.id) for event in events] == [("reports", None)] * 3
            assert [event.data for event in events] == [{"room": room.slug, "count": n} for n in (1, 2, 0)]
        assert [heard(stream) for stream in untold] == [[], [], []]
    finally:
        for stream in (*told, *untold):
            stream.close()


def test_wake_up_has_numbers_only_and_none_comes_of_what_was_refused(
    transactional_db: None, room: Room, owner: User
) -> None:
    message = MessageFactory.create(room=room, author=join(room, "author"), text="Canary Text")
    with Ear(room.channel_name) as ear:
        client = client_of(UserFactory.create())
        path = f"/rooms/{room.slug}/messages/{message.pk}/report/"
        assert client.post(path, {"reason": "Canary Reason"}).status_code == 403
        assert list(ear.heard()) == []
        report_message(Message.objects.get(pk=message.pk), reason="Canary Reason", reporter=owner)
        [payload] = ear.heard()
    assert (str(owner.pk) in payload, "Canary" in payload) == (True, False)


def test_header_has_the_badge_for_moderators_hidden_while_nothing_waits(room: Room, owner: User) -> None:
    member = join(room, "member")
    message = MessageFactory.create(room=room, author=owner)

    def badge(person: User) -> str:
        page = client_of(person).get(f"/rooms/{room.slug}/").content.decode()
        return page.partition(" data-reports")[2].partition(">")[0]

    assert (badge(owner), "data-reports" in client_of(member).get(f"/rooms/{room.slug}/").content.decode()) == (
        " hidden",
        False,
    )
    report_message(message, reason="x", reporter=member)
    assert badge(owner) == ""
