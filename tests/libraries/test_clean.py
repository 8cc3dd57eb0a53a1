"""Text on its way to a library."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.libraries.clean import cleaned, collection_names, misshapen, text

CASES: dict[str, tuple[Any, str]] = {
    "nothing": (None, ""),
    "no": (False, ""),
    "yes": (True, "1"),
    "number": (12, "12"),
    "blanks": ("\N{NO-BREAK SPACE}\t a \n", "a"),
    "half a character": ("a\ud83db", "ab"),
    "control characters": ("a\x00\x1f\x7fb", "ab"),
    "line ends": ("a\r\nb\rc", "a\nbc"),
    "a tab inside": ("a\tb", "a\tb"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_value_becomes_text(case: str) -> None:
    value, expected = CASES[case]
    assert text(value) == expected


@given(st.text(st.characters(), max_size=40))
def test_clean_text_stays_as_it_is_and_can_be_sent(value: str) -> None:
    once = text(value)
    assert text(once) == once
    once.encode()


def test_every_part_is_cleaned() -> None:
    dirty = {
        "title": " a ",
        "creators": ({"creatorType": "author", "name": " b "}, {"creatorType": "author", "name": " "}, "odd"),
        "tags": ({"tag": " c ", "type": 1}, "odd"),
        "collections": ("ABCD2345",),
        "relations": {"dc:relation": " d "},
        "deleted": 0,
        "parentItem": False,
        "pages": ["1"],
    }
    assert cleaned(dirty) == {
        "title": "a",
        "creators": [{"creatorType": "author", "name": "b"}, "odd"],
        "tags": [{"tag": "c", "type": 1}, "odd"],
        "collections": ["ABCD2345"],
        "relations": {"dc:relation": " d "},
        "deleted": 0,
        "parentItem": False,
        "pages": ["1"],
    }


def test_a_field_that_is_no_text_is_named() -> None:
    assert misshapen({"tags": [], "relations": {}, "title": "a"}) == ""
    assert misshapen({"tags": [], "pages": {"first": 1}}) == "pages"
    assert misshapen({"pages": []}) == "pages"


def test_a_path_is_its_names() -> None:
    assert collection_names([" a ", "", "b\x00", "c" * 300]) == ("a", "b", "c" * 255)
    with pytest.raises(ValueError, match="at least one name"):
        collection_names(["", " "])
