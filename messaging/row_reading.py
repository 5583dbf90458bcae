"""What is shown of a message, out of the rows of hand-written statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models

from accounts.models import User
from messaging.models import Message, Reaction

Shown = dict[str, tuple[type[models.Model], set[str]]]  # by the table's alias: the fields that are shown

PERSON = {"id", "username", "name", "avatar_key"}
MESSAGE: Shown = {
    "message": (
        Message,
        {"id", "room_id", "position", "author_id", "client_id", "text", "html", "reply_to_id"}
        | {"created_at", "edited_at", "deleted_at", "pinned_at", "attachment_count"},
    ),
    "author": (User, PERSON),
    "quoted": (Message, {"id", "position", "author_id", "text", "html", "deleted_at", "attachment_count"}),
    "quoted_author": (User, PERSON),
}
MESSAGE_JOINS = """
LEFT JOIN accounts_user author ON author.id = message.author_id
LEFT JOIN messaging_message quoted ON quoted.id = message.reply_to_id
LEFT JOIN accounts_user quoted_author ON quoted_author.id = quoted.author_id
LEFT JOIN LATERAL (
    SELECT json_agg(
        ARRAY[reaction.emoji, person.id::text, person.username, person.name, person.avatar_key] ORDER BY reaction.id
    ) AS found
    FROM messaging_reaction reaction JOIN accounts_user person ON person.id = reaction.user_id
    WHERE reaction.message_id = message.id
) reactions ON true"""  # `reactions.found` is what `message_from` takes


class Columns:
    """The columns of several tables in a statement, and the objects that a row of them makes."""

    def __init__(self, shown: Shown) -> None:
        # `Model.from_db` takes the columns in the order of the model's fields.
        self._selected = [
            (alias, model, [field.attname for field in model._meta.concrete_fields if field.attname in fields])
            for alias, (model, fields) in shown.items()
        ]
        self.text = ", ".join(f"{alias}.{column}" for alias, _model, columns in self._selected for column in columns)

    def objects(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return the objects by their tables' aliases, None where an outer join found nothing."""
        found: dict[str, Any] = {}
        start = 0
        for alias, model, columns in self._selected:
            values = row[start : start + len(columns)]
            found[alias] = None if values[0] is None else model.from_db("default", columns, values)
            start += len(columns)
        return found


def message_from(found: dict[str, Any], reactions: list[list[str]] | None) -> Message | None:
    """Return the message of a row, if it has one, with all that it refers to."""
    message: Message | None = found["message"]
    if message is None:
        return None
    message.author, message.reply_to = found["author"], found["quoted"]
    message.found_reactions = [_reaction(*each) for each in reactions or ()]
    if found["quoted"]:
        found["quoted"].author = found["quoted_author"]
    return message


def _reaction(emoji: str, user_id: str, username: str, name: str, avatar_key: str) -> Reaction:
    return Reaction(emoji=emoji, user=User(pk=int(user_id), username=username, name=name, avatar_key=avatar_key))
