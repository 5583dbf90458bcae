"""The rooms of Fathom & Daughters: who is in them, how much is said there, and what the site's owner has read."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.models import Room

DAYS = 49
GENERAL = "general"
EVERYBODY = (
    *("ines", "tomas", "amara", "jonas", "greta", "zofia", "mina", "callum"),
    *("youssef", "leila", "priya", "linh", "haruka", "kenji", "ngaire", "mateo"),
)


@dataclass(frozen=True)
class RoomPlan:
    texts: str
    """The name of its conversations in `texts/`."""
    name: str
    topic: str
    members: tuple[str, ...]
    """Usernames: the room's owner first, then its moderator."""
    share: int
    """Its part of all messages, in percent."""
    kind: str = Room.Kind.PUBLIC
    unread: int | None = 0
    """How many of its messages the site's owner has not read yet; None if they are no member."""
    weekend: float = 0.15
    """How much is said on a Saturday or Sunday, beside a working day."""
    last_day: int = 0
    """How many days ago the talk ended; it is archived unless that is today."""
    smalltalk: bool = True

    @property
    def is_archived(self) -> bool:
        return self.last_day > 0


ROOMS = (
    RoomPlan("general", "General", "For everyone and everything", EVERYBODY, share=18),
    RoomPlan(
        "workshop",
        "Workshop",
        "Brass, wood and lacquer. Sweep before you leave",
        ("tomas", "mateo", "haruka", "ines", "callum", "mina", "amara", "linh", "zofia"),
        share=14,
        unread=17,
    ),
    RoomPlan(
        "firmware",
        "Firmware",
        "What ticks inside. Builds, boards and bugs (F-numbers)",
        ("jonas", "kenji", "priya", "greta", "callum", "ngaire", "ines"),
        share=11,
        unread=41,
    ),
    RoomPlan(
        "tides",
        "Tides",
        "Gauges, constituents and predictions. Heights in metres!",
        ("greta", "callum", "jonas", "ngaire", "youssef", "priya", "kenji", "linh"),
        share=10,
    ),
    RoomPlan(
        "website",
        "Website",
        "The shop and the pages: https://fathom.example.com/",
        ("priya", "linh", "leila", "amara", "jonas", "ines", "mina"),
        share=11,
        unread=8,
    ),
    RoomPlan(
        "orders",
        "Orders & letters",
        "Every order, every parcel, and what people write to us",
        ("amara", "zofia", "mateo", "tomas", "ines", "leila", "ngaire", "mina"),
        share=11,
        unread=5,
    ),
    RoomPlan(
        "field_notes",
        "Field notes",
        "From the quays: what the gauges, the weather and the birds do",
        ("callum", "youssef", "ngaire", "greta", "leila", "tomas", "ines", "mateo"),
        share=8,
        weekend=0.5,
    ),
    RoomPlan(
        "shanties",
        "Sea shanties",
        "Songs, concertinas and all that is not work",
        ("callum", "mateo", "ngaire", "tomas", "haruka", "jonas", "leila", "amara"),
        share=5,
        unread=None,
        weekend=0.8,
    ),
    RoomPlan(
        "kyoto",
        "Kyoto 京都",
        "文字盤と基板。日本語で、ときどき英語で",
        ("haruka", "kenji", "ines", "mina"),
        share=4,
        kind=Room.Kind.PRIVATE,
        unread=3,
        smalltalk=False,
    ),
    RoomPlan(
        "kontor",
        "Kontor",
        "Hamburg und umzu. Hier wird Deutsch geschnackt",
        ("jonas", "greta", "zofia", "mina"),
        share=3,
        kind=Room.Kind.PRIVATE,
        smalltalk=False,
    ),
    RoomPlan(
        "money",
        "Money",
        "Cash, prices and invoices. What is said here stays here",
        ("zofia", "ines", "amara", "mina"),
        share=3,
        kind=Room.Kind.PRIVATE,
        unread=2,
        smalltalk=False,
    ),
    RoomPlan(
        "boat_fair",
        "Boat fair",
        "Stand, banner and rota. It's over: thank you, everybody",
        ("ines", "linh", "tomas", "greta", "amara", "callum", "jonas"),
        share=2,
        weekend=0.4,
        last_day=21,
    ),
)
