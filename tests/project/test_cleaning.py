from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from project.cleaning import MARKS_IN_A_ROW_MAX, clean_body, clean_name, is_blank
from tests.bad_input import BLANK, BROKEN, GOOD, REVERSED

CLEANERS = [clean_body, clean_name]
MORE_BLANK = {
    "variation selectors": "\ufe0f\ufe0e",
    "grapheme joiner": "\u034f",
    "Hangul jamo fillers": "\u115f\u1160",
    "half-width filler": "\uffa0",
    "Khmer vowels": "\u17b4\u17b5",
    "Mongolian selectors": "\u180b\u180e",
    "tags": "\U000e0041\U000e007f",
    "supplementary selectors": "\U000e0100",
    "invisible operators": "\u2061\u2062\u2063\u2064\u206f",
    "all together": " \u200b\u3164\n\u2800\ufe0f\U000e0020",
}
MORE_BROKEN = {
    "lone surrogate": "a\ud800b",
    "half of an emoji": "\ude00",
    "replacement character": "a\ufffdb",
    "Thai column": "ก" + "\u0e47" * 30,
    "marks parted by joiners": "a" + ("\u0301" * 8 + "\u034f") * 9,
    "marks parted by what is not drawn": "a" + ("\u0301" * 8 + "\u200d") * 9,
    "enclosing marks": "a" + "\u20dd" * 30,
}


def code(clean: Callable[[str], str], text: str) -> str:
    with pytest.raises(ValidationError) as refused:
        clean(text)
    (sentence,) = refused.value.messages
    assert sentence.endswith(".")
    assert text not in sentence or not text
    return str(refused.value.code)


@pytest.mark.parametrize("text", [*BLANK.values(), *MORE_BLANK.values()], ids=[*BLANK, *MORE_BLANK])
def test_what_shows_as_nothing_is_blank(text: str) -> None:
    assert is_blank(text)
    assert code(clean_body, text) == "blank"
    assert not is_blank(f"{text}a")
    assert clean_body(f"{text}a")


@pytest.mark.parametrize("clean", CLEANERS)
@pytest.mark.parametrize("text", [*BROKEN.values(), *MORE_BROKEN.values()], ids=[*BROKEN, *MORE_BROKEN])
def test_what_breaks_is_refused(clean: Callable[[str], str], text: str) -> None:
    assert code(clean, text) in {"control", "surrogate", "marks"}


@pytest.mark.parametrize("clean", CLEANERS)
@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_any_script_is_kept_to_the_letter(clean: Callable[[str], str], text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", REVERSED.values(), ids=REVERSED)
def test_direction_is_changed_in_messages_only(text: str) -> None:
    assert code(clean_name, text) == "direction"
    assert clean_body(text) == text


@pytest.mark.parametrize("clean", CLEANERS)
def test_marks_have_a_limit(clean: Callable[[str], str]) -> None:
    most = "x" + "\u0323" * MARKS_IN_A_ROW_MAX
    assert clean(most * 3) == most * 3
    assert code(clean, most + "\u0323") == "marks"


@pytest.mark.parametrize(
    ("text", "body", "name"),
    [
        ("  a  ", "a", "a"),
        ("e\u0301", "é", "é"),
        ("a\nb\n\nc", "a\nb\n\nc", "a b c"),
        ("a\t b", "a\t b", "a b"),
        ("a\u00a0\u3000b", "a\u00a0\u3000b", "a b"),
        ("a\u2028b", "a\u2028b", "a b"),
        ("ﬁ", "ﬁ", "ﬁ"),
    ],
)
def test_normal_form(text: str, body: str, name: str) -> None:
    assert (clean_body(text), clean_name(text)) == (body, name)


def test_body_has_unix_line_ends() -> None:
    assert clean_body("a\r\nb\rc\n\nd") == "a\nb\nc\n\nd"


def test_name_may_be_empty_but_not_only_seem_so() -> None:
    assert clean_name("") == clean_name("  ") == ""
    assert code(clean_name, "\u200b") == "blank"


@pytest.mark.parametrize("clean", CLEANERS)
@given(text=st.text(st.characters(), max_size=60))
def test_cleaned_text_is_clean(clean: Callable[[str], str], text: str) -> None:
    try:
        cleaned = clean(text)
    except ValidationError:
        return
    assert clean(cleaned) == cleaned == unicodedata.normalize("NFC", cleaned).strip()
    assert {character for character in cleaned if unicodedata.category(character) in {"Cc", "Cs"}} <= {"\n", "\t"}
    assert "\x00" not in cleaned
    cleaned.encode()
