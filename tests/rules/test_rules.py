"""Each rule is shown an offender, and the file that may do it: a rule that finds nothing would guard nothing."""

from __future__ import annotations

import runpy

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.rules import audit, rules

OFFENDERS = {
    "mark_safe": ("rooms/views.py", "from django.utils.safestring import mark_safe\n"),
    "StreamingHttpResponse": ("messaging/views.py", "\nreturn StreamingHttpResponse(frames())\n"),
    "cache_page": ("rooms/urls.py", "path('', cache_page(60)(view))"),
    "csrf_exempt": ("accounts/views.py", "@csrf_exempt\ndef view(request): ..."),
    "xframe_options_exempt": ("accounts/views.py", "@xframe_options_exempt\ndef view(request): ..."),
    "pickle": ("project/http.py", "import pickle"),
    "eval(": ("project/http.py", "eval(text)"),
    "post_save": ("rooms/apps.py", "post_save.connect(tell)"),
    "a request as keyword arguments": ("rooms/views.py", "Room.objects.filter(**request.GET.dict())"),
    "SQL made of strings": ("rooms/log.py", "cursor.execute(f'SELECT {name}')"),
    "|safe": ("templates/rooms/room_list.html", "<p>{{ room.topic |  safe }}</p>"),
    "autoescape": ("templates/base.html", "{% autoescape off %}"),
    "inline script": ("templates/base.html", "<SCRIPT>x()</SCRIPT>"),
    "inline style": ("templates/base.html", '<p style="color: red">'),
    "inline handler": ("templates/base.html", '<p onclick="x()">'),
    "javascript:": ("templates/base.html", '<a href="JavaScript:x()">'),
    "another site's file": ("templates/base.html", '<script src="https://cdn.example/x.js"></script>'),
    "markup from a script": ("project/static/js/lib/rows.js", "row.innerHTML = text;"),
}


def test_every_rule_has_an_offender() -> None:
    assert {rule.name for rule in rules.RULES} == set(OFFENDERS)


@pytest.mark.parametrize("name", OFFENDERS)
def test_offender_is_found(name: str) -> None:
    path, source = OFFENDERS[name]
    assert [offence.split(": ", 1)[1].rpartition(" (")[0] for offence in rules.offences(path, source)] == [name]


@pytest.mark.parametrize("rule", [rule for rule in rules.RULES if rule.allowed], ids=lambda rule: rule.name)
def test_what_is_allowed_is_there(rule: rules.Rule) -> None:
    files = dict(rules.sources())
    for path in rule.allowed:
        assert rule.covers(path)
        assert rule.finds(files[path])


def test_sources_are_all_looked_at_and_break_no_rule() -> None:
    paths = [path for path, _source in rules.sources()]
    assert {"rooms/views.py", "templates/base.html", "project/static/js/app.js", "project/realtime/sse.py"} <= set(
        paths
    )
    assert rules.found() == []


def test_old_package_is_found_where_it_is_installed_or_pinned() -> None:
    (sentence,) = audit.too_old({"django": Version("5.2.18"), "pillow": Version("13.0.0")}, "installed")
    assert sentence.startswith("installed: django 5.2.18 is older than 5.2.19. ")
    assert audit.pinned("# Django==1\nDjango==5.2.18\nx>=1") == {"django": Version("5.2.18")}
    assert list(audit.unpinned([Requirement("Django>=5")], {})) == ["constraints.txt: Django is not pinned."]


def test_packages_are_what_they_have_to_be() -> None:
    assert audit.found() == []
    assert {"django", "django-allauth", "pillow"} <= set(audit.installed())


def test_lint_fails_with_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as well:
        runpy.run_module("tests.rules", run_name="__main__")
    assert not well.value.code
    monkeypatch.setattr(rules, "sources", lambda: [OFFENDERS["mark_safe"]])
    with pytest.raises(SystemExit) as wrong:
        runpy.run_module("tests.rules", run_name="__main__")
    assert wrong.value.code == "rooms/views.py:1: mark_safe (text becomes markup)"
