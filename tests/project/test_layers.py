"""The map of the house, walked: who imports whom, and who may write."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

TOP = Path(__file__).resolve().parents[2]
APPS = ("accounts", "rooms", "invites", "messaging")  # each imports only those before it

# Inside an app a module imports only lower ones. What is not named here fails, so that it is given a place.
HEIGHTS = {
    name: height
    for height, names in enumerate(
        (
            ("markup_rules",),
            (
                "agents",
                "apps",
                "channels",
                "emoji",
                "hashers",
                "languages",
                "markup",
                "names",
                "passwords",
                "sealing",
                "skeletons",
                "typing",
            ),
            ("audit", "epoch", "filters", "kinds", "reports", "restrictions", "roles"),
            ("models",),
            ("attachments", "limiting", "row_reading"),
            (
                "log_reading",
                "member_reading",
                "membership_reading",
                "mentions",
                "notices",
                "posting",
                "sidebar_reading",
            ),
            ("page_reading",),
            (
                "access",
                "context_processors",
                "events",
                "history",
                "http",
                "ignoring",
                "log",
                "sessions",
                "slugs",
                "sweeping",
                "uploading",
                "verify",
            ),
            ("copying",),
            ("devices", "holding", "templatetags"),
            ("actions", "importing", "pinning", "reactions"),
            ("moderation", "succession"),
            ("exporting", "leaving", "purging"),
            ("demo", "ignoring", "receivers", "site_bans"),
            ("adapter", "forms", "mfa", "oidc"),
            ("mfa_forms", "oidc_forms"),
            ("admin_forms", "admin_rights", "pages"),
            ("admin_bans", "admin_reports", "admin_restrictions"),
            (
                "account_views",
                "admin",
                "answering_views",
                "device_views",
                "editing_views",
                "file_views",
                "ignoring_views",
                "moderation_views",
                "oidc_views",
                "pinning_views",
                "setup",
                "stream",
                "views",
            ),
            ("picture_views",),
            ("urls", "management"),
        )
    )
    for name in names
}
# What one app may use of another; its pages are its own.
OPEN_TO_OTHERS = {
    "access",
    "actions",
    "adapter",
    "audit",
    "channels",
    "filters",
    "http",
    "ignoring",
    "log",
    "member_reading",
    "models",
    "moderation",
    "sessions",
}
# Where the house is put together.
COMPOSITION = {"project/asgi.py", "project/health.py", "project/management/commands/serve.py"}
OPEN_IN_PROJECT = (
    *("project.realtime", "project.http", "project.cleaning", "project.fields", "project.errors"),
    *("project.address", "project.database", "project.limits", "project.speculation", "project.files"),
)

WRITES = {"create", "bulk_create", "get_or_create", "update_or_create", "save", "update", "bulk_update", "delete"}
WRITES |= {"publish", "publish_all"}
MAY_WRITE = {f"{app}/actions.py" for app in APPS} | {
    "rooms/log.py",
    "messaging/moderation.py",
    "rooms/moderation.py",
    "rooms/setup.py",
    "messaging/importing.py",
    "messaging/leaving.py",
    "messaging/purging.py",
    "messaging/mentions.py",
    "messaging/pinning.py",
    "messaging/reactions.py",
    "messaging/demo/filling.py",
    "accounts/audit.py",
    "accounts/ignoring.py",
    "accounts/sessions.py",
    "messaging/copying.py",
    "accounts/site_bans.py",
    "messaging/uploading.py",
    "messaging/sweeping.py",
}
# Single calls elsewhere: the first epoch begins when it is asked for, the others save forms of Django's and allauth's.
MAY_CALL = {
    "rooms/epoch.py": {"create"},
    "rooms/admin.py": {"save"},
    "accounts/forms.py": {"save"},
    "accounts/admin_forms.py": {"save"},
    "accounts/mfa.py": {"save"},  # a picture into memory
    "project/files/store.py": {"update"},  # a digest
    "project/storage.py": {"delete", "save"},  # files of its own
    "project/files/image_child.py": {"save"},  # a picture into its file
}


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((TOP / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def relative(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Yield the full names of what a file imports when it runs; what only its types need is left out."""
    yield from imports_of(ast.parse(path.read_text()).body)


def imports_of(statements: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
            yield from imports_of(statement.orelse)
        elif isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, "imports are absolute"
            assert statement.module
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        else:
            yield from imports_of(child for child in ast.walk(statement) if child is not statement and is_import(child))


def is_import(node: ast.AST) -> TypeGuard[ast.Import | ast.ImportFrom]:
    return isinstance(node, ast.Import | ast.ImportFrom)


def calls(path: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def test_walk_sees_every_way_to_import() -> None:
    source = "import a.b\nfrom c import d\nif TYPE_CHECKING:\n    import no\ndef f():\n    from e import f\n"
    source += "try:\n    import g\nexcept ImportError:\n    import h\n"
    assert sorted(imports_of(ast.parse(source).body)) == ["a.b", "c.d", "e.f", "g", "h"]


@pytest.mark.parametrize("app", APPS)
def test_apps_import_one_way(app: str) -> None:
    above = APPS[APPS.index(app) + 1 :]
    upward = [
        (relative(path), name) for path in python_files(app) for name in imports(path) if name.split(".")[0] in above
    ]
    assert upward == []


def test_apps_do_meet() -> None:
    met = {(app, name.split(".")[0]) for app in APPS for path in python_files(app) for name in imports(path)}
    assert {("rooms", "accounts"), ("messaging", "rooms"), ("messaging", "accounts")} <= met


@pytest.mark.parametrize("app", APPS)
def test_modules_of_an_app_import_downwards(app: str) -> None:
    arrows = [
        (place, name.split(".")[1], relative(path), name)
        for path in python_files(app)
        for name in imports(path)
        if name.startswith(f"{app}.") and (place := place_of(path)) != name.split(".")[1] and place != "apps"
    ]
    assert {each for arrow in arrows for each in arrow[:2]} <= set(HEIGHTS)
    assert [arrow[2:] for arrow in arrows if HEIGHTS[arrow[0]] <= HEIGHTS[arrow[1]]] == []


def place_of(path: Path) -> str:
    """Return the module, or the folder, that a file is in its app."""
    return path.relative_to(TOP).parts[1].removesuffix(".py")


@pytest.mark.parametrize("app", APPS)
def test_apps_use_of_each_other_only_what_is_open(app: str) -> None:
    others = [
        (relative(path), name)
        for path in python_files(app)
        for name in imports(path)
        if (parts := name.split("."))[0] in APPS and parts[0] != app and parts[1] not in OPEN_TO_OTHERS
    ]
    assert others == []


def test_realtime_is_a_leaf() -> None:
    files = python_files("project/realtime")
    ours = {name for path in files for name in imports(path) if name.split(".")[0] in {*APPS, "project"}}
    assert [name for name in ours if not name.startswith("project.realtime.")] == []
    assert [name for path in files for name in imports(path) if name.startswith("django.db.models")] == []
    assert len(files) > 5


def test_only_the_composition_knows_the_apps() -> None:
    knowing = {
        relative(path) for path in python_files("project") for name in imports(path) if name.split(".")[0] in APPS
    }
    assert knowing == COMPOSITION


def test_apps_use_of_the_project_only_what_is_open() -> None:
    others = [
        (relative(path), name)
        for path in python_files(*APPS)
        for name in imports(path)
        if name.startswith("project.") and not name.startswith(OPEN_IN_PROJECT) and place_of(path) != "management"
    ]
    assert others == []


def test_only_actions_write_and_publish() -> None:
    writing = [
        (relative(path), called(call), call.lineno)
        for path in python_files(*APPS, "project")
        for call in calls(path)
        if called(call) in WRITES
        and relative(path) not in MAY_WRITE
        and not relative(path).startswith("project/realtime")
    ]
    assert [each for each in writing if each[1] not in MAY_CALL.get(each[0], set())] == []
    assert {each[0] for each in writing} <= set(MAY_CALL)


def test_no_sql_by_hand_outside_the_project() -> None:
    by_hand = {
        relative(path)
        for path in python_files(*APPS)
        for call in calls(path)
        if called(call) in {"cursor", "raw", "extra", "RawSQL", "fetch"} and place_of(path) != "management"
    }
    # The busiest write and the busiest reads there are, a room's page, and an advisory lock.
    assert by_hand == {
        "rooms/membership_reading.py",
        "rooms/member_reading.py",
        "messaging/posting.py",
        "messaging/log_reading.py",
        "messaging/page_reading.py",
        "messaging/sidebar_reading.py",
        "messaging/demo/filling.py",
    }


def test_files_stay_short() -> None:
    long = [relative(path) for path in python_files(*APPS, "project") if len(path.read_text().splitlines()) > 300]
    assert long == []
