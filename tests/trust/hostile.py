"""What no field, parameter or address should be able to do harm with, and where it is put."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tests.bad_input import BAD_IDS
from tests.trust.matrix import Action, actions
from tests.trust.routes import routes

# As percent-encoded bytes, for bodies and queries; each is what a form or an address could be made to send.
SCRIPT = "<script>window.__x=1</script>\"'><img src=x onerror=window.__x=1>"
VALUES = {
    "nothing": "",
    "NUL": "a%00b",
    "lone surrogate": "%ED%A0%80",
    "no UTF-8": "%ff%fe",
    "overlong UTF-8": "%c0%ae",
    "line ends": "a%0d%0aSet-Cookie: x=1%0d%0a",
    "reversed": quote("a\u202eb\u2066c"),
    "markup": quote(SCRIPT),
    "template": quote("{{ request }}{% debug %}%(x)s%s{0.__class__}"),
    "SQL": quote("'; DROP TABLE rooms_room; -- ' OR 1=1"),
    "path": quote("../../../etc/passwd"),
    "long": "a" * 60_000,
    "marks": quote("a" + "\u0301" * 1_000),
    "negative": "-1",
    "beyond a bigint": str(2**64),
    "400 digits": "9" * 400,
    "exponent": "1e309",
    "Arabic digit": quote("١"),
    "JSON": quote('{"a": [null, NaN, 1e400]}'),
}
PARAMETERS = (
    *("q", "p", "o", "e", "all", "next", "before", "after", "around", "since", "limit", "format", "rooms", "epoch"),
    *("name", "page", "id", "_method", "_popup", "_to_field", "_changelist_filters", "is_staff__exact", "term"),
    *("room__password", "order_by", "user__password__startswith", "date_joined__year", "action", "lang", "_facets"),
)
# Fields of the forms of people who are not signed in, and of accounts; the others are in tests/authorization.yaml.
FORMS = {
    "account_login": {"login": "member", "password": "x"},
    "account_signup": {"email": "n@example.org", "username": "novice", "password1": "correct horse battery"},
    "account_reset_password": {"email": "member@example.org"},
    "account_change_password": {"oldpassword": "x", "password1": "correct horse battery", "password2": "x"},
    "account_reauthenticate": {"password": "x"},
    "account_logout": {},
    "accounts:email": {"email": "n@example.org", "action_add": ""},
    "invites:list": {"label": "friends", "email": "n@example.org", "max_uses": "1"},
    "accounts:devices_end": {},
    "accounts:picture": {"left": "0", "top": "0", "side": "1"},
}


@dataclass(frozen=True)
class Form:
    """Something that can be posted: an action of the matrix, or a form of an account."""

    name: str
    action: Action | None
    fields: tuple[str, ...]


def forms() -> Iterator[Form]:
    for action in actions():
        if action.method == "POST" and action.options.get("body") is None:
            yield Form(action.name, action, tuple(action.options.get("sends", {})))
    for name, fields in FORMS.items():
        yield Form(name, None, tuple(fields))


def bad_paths() -> dict[str, str]:
    """Return every address with what is no value of its parameters in their place, one after the other."""
    found = {}
    for route in routes().values():
        for parameter in route.parameters:
            for number, bad in enumerate((*BAD_IDS, quote(SCRIPT, safe=""), "%ff", "a" * 3_000)):
                found[f"{route.name} {parameter} {number}"] = _path(route.pattern, parameter, bad)
    return found


def _path(pattern: str, parameter: str, bad: str) -> str:
    """Fill in a route's pattern: `bad` for one parameter, something ordinary for the others."""
    parts = []
    for part in pattern.replace("^", "").removesuffix("$").split("/"):
        is_parameter = "<" in part
        parts.append(bad if is_parameter and f"{parameter}>" in part else "x" if is_parameter else part)
    return "/" + "/".join(parts)
