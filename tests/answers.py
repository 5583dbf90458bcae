"""What is answered to a script."""

from __future__ import annotations

from typing import Any

JSON = {"Accept": "application/json"}


def errors(response: Any, status: int = 400) -> dict[str, list[str]]:
    """Return the sentences by field, once the answer is known to be an error with this status."""
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    (key, found), *rest = response.json().items()
    assert (key, rest) == ("errors", [])
    return dict(found)
