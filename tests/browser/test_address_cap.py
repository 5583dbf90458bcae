"""A page whose address has all the streams that it may have: it goes on by polling, and gets the next that is free."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from playwright.sync_api import expect

from accounts.models import User
from messaging.models import Message
from rooms.models import Room
from tests.browser.conftest import Visit
from tests.browser.room_page import banner, row, said, say, write
from tests.conftest import client_of, join
from tests.server import ServerProcess
from tests.streams import EventStream

BACK_MILLISECONDS = 20_000  # it may be waiting for its longest when a place becomes free


@pytest.fixture
def server(transactional_db: None, static_files: None) -> Iterator[ServerProcess]:
    with ServerProcess(connection.settings_dict, STREAMS_PER_ADDRESS="1", LIMITS_FACTOR="1") as server:
        yield server


def test_page_without_a_stream_goes_on_by_polling_and_gets_the_next(
    visit: Visit, server: ServerProcess, room: Room, owner: User
) -> None:
    member = join(room, "member")
    with EventStream(server, client_of(owner), f"/rooms/{room.slug}/stream/"):
        page = visit(f"/rooms/{room.slug}/", member)
        expect(banner(page)).to_contain_text("Too many rooms are open at once")
        write(page, "without a stream")
        expect(row(page, "without a stream")).to_have_attribute("data-position", "3")
        assert Message.objects.get().author == member
        expect(banner(page)).to_contain_text("Too many rooms are open at once")
        say(room, owner, "meanwhile")
        expect(said(page, "meanwhile")).to_be_visible(timeout=BACK_MILLISECONDS)
        expect(banner(page)).to_contain_text("Too many rooms are open at once")
    expect(page.locator("[data-here-count]:visible")).not_to_be_empty(timeout=BACK_MILLISECONDS)
    expect(banner(page)).to_have_count(0)
