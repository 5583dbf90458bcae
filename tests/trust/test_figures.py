from __future__ import annotations

from pathlib import Path

from tests.trust.__main__ import BEGIN, END, PAGE, Found, written

REPORT = """<testsuites><testsuite>
<testcase classname="tests.trust.test_matrix" name="test_cell[post (public): member]" />
<testcase classname="tests.trust.test_matrix" name="test_cell[post (public): owner]"><failure /></testcase>
<testcase classname="tests.trust.test_bad_input" name="test_no_field_does_harm[post]">
<properties><property name="inputs" value="38" /></properties></testcase>
<testcase classname="tests.trust.test_bad_input" name="test_no_address_does_harm[x]">
<properties><property name="inputs" value="4" /></properties></testcase>
</testsuite></testsuites>"""


def test_table_says_what_was_run_and_what_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    page = written(f"before {BEGIN} old {END} after", Found(report))
    assert page.startswith(f"before {BEGIN}\n\n4 tests on ")
    assert page.endswith(f"{END} after")
    assert "1 FAILED" in page
    assert "| cells of the authorization matrix | 2 |" in page
    assert "| bad inputs made for every form, address and parameter | 42 |" in page
    assert "| rights ended with a stream open | not measured |" in page
    assert "old" not in page


def test_page_has_its_marks_once() -> None:
    page = PAGE.read_text()
    assert (page.count(BEGIN), page.count(END)) == (1, 1)
