"""`manage.py demo`: a whole log, once, whatever the site holds already."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.actions import create_owner
from accounts.models import User
from messaging.actions import post_message
from messaging.demo.conversations import ANYBODY, TEXTS, load
from messaging.demo.filling import FilledError, fill
from messaging.demo.people import PEOPLE
from messaging.demo.rooms import EVERYBODY, ROOMS, RoomPlan
from messaging.demo.script import RoomScript, Said
from messaging.models import Message
from messaging.sidebar_reading import sidebar_rooms
from messaging.verify import findings
from project.cleaning import clean_body, clean_name
from rooms.actions import create_room
from rooms.models import Event, Membership, Room
from tests.factories import MessageFactory, RoomFactory, UserFactory

TUESDAY = datetime(2025, 11, 18, 14, 30, tzinfo=UTC)


def demo(**options: int) -> str:
    out = io.StringIO()
    call_command("demo", stdout=out, verbosity=0, **{"messages": 300, **options})
    return out.getvalue()


def script(plan: RoomPlan, size: int = 300, seed: int = 1, now: datetime = TUESDAY) -> list[Said]:
    names = {username: username for username in PEOPLE}
    return RoomScript(plan, now=now, random=Random(seed), usernames=names).write(size)  # noqa: S311


def everything() -> tuple[object, ...]:
    return (
        list(User.objects.order_by("pk").values_list("pk", "username", "password")),
        list(Room.objects.order_by("pk").values_list("pk", "name", "last_position", "archived_at")),
        list(Membership.objects.order_by("pk").values_list("pk", "last_read_position")),
        Message.objects.count(),
        Event.objects.count(),
    )


@pytest.fixture
def site_owner(db: None) -> User:
    owner = create_owner(name="Olga Owner", email="olga@example.org", password="correct horse battery staple")
    create_room(name="General", topic="", kind=Room.Kind.PUBLIC, actor=owner)
    return owner


def test_demo_leaves_a_whole_log(site_owner: User) -> None:
    demo()
    assert list(findings(Room.objects.all())) == []
    assert Room.objects.count() == len(ROOMS)
    assert 200 <= Message.objects.count() <= 400
    assert Event.objects.filter(kind=Event.Kind.MESSAGE_EDITED).exists()
    assert Event.objects.filter(kind=Event.Kind.MESSAGE_DELETED).exists()
    assert [room.slug for room in Room.objects.exclude(archived_at=None)] == ["boat-fair"]


def test_second_demo_changes_nothing(site_owner: User) -> None:
    demo()
    before = everything()
    assert demo() == "The demo data is here already; nothing was changed.\n"
    assert everything() == before


def test_demo_without_an_owner_makes_general_too(db: None) -> None:
    demo()
    general = Room.objects.get(slug="general")
    assert general.memberships.get(role=Membership.Role.OWNER).user.username == EVERYBODY[0]
    assert not User.objects.filter(is_superuser=True).exists()
    assert list(findings(Room.objects.all())) == []


def test_people_join_before_they_speak_and_nobody_speaks_in_the_future(site_owner: User) -> None:
    demo()
    for message in Message.objects.select_related("author"):
        joined_at = Membership.objects.get(room=message.room, user=message.author).joined_at
        assert joined_at <= message.created_at
    newest = Message.objects.latest("created_at").created_at
    assert timedelta(0) < Event.objects.latest("created_at").created_at - newest < timedelta(hours=1)


def test_site_owner_finds_rooms_to_read_and_one_to_join(site_owner: User) -> None:
    demo(messages=800)
    unread = {room.slug: room.is_unread for room in sidebar_rooms(site_owner)}
    assert unread.pop("general") is False
    assert {slug for slug, is_unread in unread.items() if is_unread} >= {"workshop", "firmware", "website"}
    assert unread["tides"] is False
    left_out = Room.objects.exclude(memberships__user=site_owner)
    assert [(room.slug, room.is_public) for room in left_out] == [("sea-shanties", True)]


def test_demo_people_can_sign_in_with_the_password_shown_once(db: None) -> None:
    said = re.search(r"for example (\S+) or (\S+), with the password (\S+)", demo())
    assert said is not None
    client = Client()
    answer = client.post(reverse("account_login"), {"login": said[1], "password": said[3]})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get(username=said[1]).pk)
    assert User.objects.get(username=said[2]).check_password(said[3])
    assert User.objects.filter(email__endswith=".example.org").count() == len(PEOPLE)


def test_general_that_is_talked_in_is_joined_and_gets_no_history(site_owner: User) -> None:
    general = Room.objects.get(slug="general")
    message = MessageFactory.create(room=general, author=site_owner, text="hello?")
    demo()
    assert list(Message.objects.filter(room=general)) == [message]
    assert general.memberships.count() == 1 + len(PEOPLE)
    assert general.memberships.get(role=Membership.Role.OWNER).user == site_owner
    assert Membership.objects.get(room=general, user=site_owner).last_read_position == message.position
    assert list(findings(Room.objects.all())) == []


def test_names_that_are_taken_stay_with_who_has_them(site_owner: User) -> None:
    ines = UserFactory.create(username="ines", name="INÊS CARVALHO")
    RoomFactory.create(name="Workshop", actor=ines)
    demo(messages=800)
    other = User.objects.get(email=PEOPLE["ines"].email)
    assert (other.username, other.display_name) == ("ines2", "ines2")
    assert not ines.messages.exists()
    assert other.messages.exists()
    assert Room.objects.filter(name="Workshop").count() == 2
    assert list(findings(Room.objects.all())) == []


def test_interrupted_demo_leaves_nothing(site_owner: User) -> None:
    before = everything()
    seen: list[int] = []

    def interrupt(_number: int) -> None:
        seen.append(Message.objects.count())
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(messages=300, seed=1, now=TUESDAY, begin=lambda total: None, advance=interrupt)
    assert seen[-1] > 0
    assert everything() == before
    assert fill(messages=300, seed=1, now=TUESDAY, begin=lambda total: None, advance=lambda number: None).rooms == 12
    with pytest.raises(FilledError):
        fill(messages=300, seed=1, now=TUESDAY, begin=lambda total: None, advance=lambda number: None)


@pytest.mark.parametrize("messages", [0, 49, 20_001])
def test_absurd_numbers_of_messages_are_refused(db: None, messages: int) -> None:
    with pytest.raises(CommandError, match="from 50 to 20000"):
        demo(messages=messages)
    assert not User.objects.exists()


def test_same_seed_writes_the_same_history() -> None:
    plan = ROOMS[0]
    assert script(plan) == script(plan)
    assert script(plan) != script(plan, seed=2)


@pytest.mark.parametrize("plan", ROOMS, ids=lambda plan: plan.texts)
@pytest.mark.parametrize("hour", [3, 14, 22])
def test_script_is_in_order_and_ends_before_now(plan: RoomPlan, hour: int) -> None:
    now = TUESDAY.replace(hour=hour)
    said = script(plan, now=now)
    times = [line.at for line in said]
    assert times == sorted(times)
    assert times[-1] < now - timedelta(days=plan.last_day)
    assert {line.username for line in said} <= set(plan.members)
    assert all(line.reply_to is None or line.reply_to < place for place, line in enumerate(said))
    for line in said:
        assert clean_body(line.text) == line.text
        assert not re.search(r"\[\[|\]\]|\$[a-z]", line.text)


def test_talk_follows_the_working_week() -> None:
    workshop = next(plan for plan in ROOMS if plan.texts == "workshop")
    days = [line.at.weekday() for line in script(workshop, size=2_000)]
    at_weekends = sum(day >= 5 for day in days) / 2
    on_weekdays = sum(day < 5 for day in days) / 5
    assert 0 < at_weekends < on_weekdays / 2


def test_every_conversation_can_be_read_and_had() -> None:
    written = {path.stem for path in TEXTS.glob("*.txt")}
    assert written == {plan.texts for plan in ROOMS} | {"smalltalk"}
    assert sum(len(load(name)) for name in written) > 60
    for plan in ROOMS:
        for conversation in load(plan.texts):
            named = {role for role in conversation.roles if role not in ANYBODY}
            assert named <= set(plan.members)
            assert len(conversation.roles) <= len(plan.members)
            assert all(line.reply_to is None or line.reply_to < at for at, line in enumerate(conversation.lines))


def test_names_are_ones_that_people_could_choose() -> None:
    for person in PEOPLE.values():
        assert clean_name(person.name) == person.name
    for plan in ROOMS:
        assert (clean_name(plan.name), clean_name(plan.topic)) == (plan.name, plan.topic)


def test_post_works_in_a_filled_room(site_owner: User) -> None:
    demo()
    room = Room.objects.get(slug="general")
    message = MessageFactory.create(room=room, author=site_owner, text="so this is where you all are")
    assert message.position == room.last_position + 1
    with pytest.raises(Exception, match="Join this room first"):
        post_message(room, author=UserFactory.create(), text="hello", client_id=message.client_id)
