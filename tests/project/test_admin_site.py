from __future__ import annotations

import pytest
from django.urls import reverse

from tests.conftest import client_of
from tests.factories import UserFactory

LISTS = [
    reverse(f"admin:{name}_changelist")
    for name in ("rooms_room", "rooms_membership", "messaging_message", "accounts_user", "auth_group")
]
PERSON_FIELD = "app_label=rooms&model_name=membership&field_name=user"


@pytest.mark.parametrize(
    "path", [*(f"{path}?pk=%00" for path in LISTS), f"{reverse('admin:autocomplete')}?{PERSON_FIELD}&term=a%00"]
)
def test_a_question_that_postgresql_can_t_be_asked_is_refused(db: None, path: str) -> None:
    browser = client_of(UserFactory.create(is_staff=True, is_superuser=True))

    assert browser.get(path.replace("%00", "")).status_code in (200, 302)
    assert browser.get(path).status_code == 400


@pytest.mark.parametrize("key", ["x", "\x00", "", "1.5"])
@pytest.mark.parametrize("path", LISTS)
def test_an_action_on_what_is_no_key_is_refused(db: None, path: str, key: str) -> None:
    browser = client_of(UserFactory.create(is_staff=True, is_superuser=True))

    assert browser.post(path, {"action": "delete_selected", "_selected_action": ["999999", key]}).status_code == 400
