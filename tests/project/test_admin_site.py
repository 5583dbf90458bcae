from __future__ import annotations

import pytest
from django.urls import reverse

from tests.conftest import client_of
from tests.factories import PASSWORD, UserFactory

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


def test_nobody_guesses_passwords_at_the_admin_s_own_door(db: None) -> None:
    """It has no limit on guesses and asks for no second factor: whoever is signed in already is led past it."""
    UserFactory.create(username="chief", is_staff=True, is_superuser=True)
    helper = UserFactory.create(is_staff=True)
    browser = client_of(helper)
    for password in ("wrong", PASSWORD):
        response = browser.post(reverse("admin:login"), {"username": "chief", "password": password})
        assert (response.status_code, response["Location"]) == (302, reverse("admin:index"))
        assert browser.session["_auth_user_id"] == str(helper.pk)


@pytest.mark.parametrize("year", ["9" * 400, "0", "-1", "0000", "10000", "x", ""])
def test_a_year_that_no_date_has_is_refused(db: None, year: str) -> None:
    browser = client_of(UserFactory.create(is_staff=True, is_superuser=True))
    path = reverse("admin:accounts_user_changelist")

    assert browser.get(path, {"date_joined__year": "2026"}).status_code == 200
    assert browser.get(path, {"date_joined__year": year}).status_code == 400


@pytest.mark.parametrize("path", [reverse("admin:index"), *LISTS, reverse("admin:rooms_room_add")])
def test_pages_have_the_icon_of_the_site_once(db: None, path: str) -> None:
    page = client_of(UserFactory.create(is_staff=True, is_superuser=True)).get(path).content.decode()
    assert page.count('<link rel="icon" ') == 1
