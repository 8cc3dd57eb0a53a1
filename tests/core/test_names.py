"""Names keep their parts, and nobody is made up."""

from __future__ import annotations

import pytest

from sync.core.names import parse_name, parse_names
from sync.core.record import Creator


def author(last: str = "", first: str = "", name: str = "") -> Creator:
    return Creator("author", last=last, first=first, name=name)


@pytest.mark.parametrize(
    ("text", "creator"),
    [
        ("Moss, Ada", author("Moss", "Ada")),
        ("Moss,  Ada B.,  Jr", author("Moss", "Ada B., Jr")),
        ("van der Fern, Bo", author("van der Fern", "Bo")),
        ("Moss, Ada and", author("Moss", "Ada")),
        ("Moss, Ada;", author("Moss", "Ada")),
        ("Moss A", author("Moss", "A")),
        ("Moss CD", author("Moss", "CD")),
        ("de la Moss C. D.", author("de la Moss", "C. D.")),
        ("Moss J-P", author("Moss", "J-P")),
        ("C. D. Moss", author("Moss", "C. D.")),
        ("A. Moss-Fern", author("Moss-Fern", "A.")),
        ("Ada Moss", author(name="Ada Moss")),
        ("H B", author(name="H B")),
        ("World Wall Organization", author(name="World Wall Organization")),
        ("Wall Study Group B", author(name="Wall Study Group B")),
        ("NCT00000000,", author(name="NCT00000000")),
        (", Ada", author(name="Ada")),
    ],
)
def test_a_name_is_told_apart_where_it_can_be(text: str, creator: Creator) -> None:
    assert parse_name(text, "author") == creator


@pytest.mark.parametrize("text", ["", "...", " , ", "123"])
def test_what_has_no_letter_is_no_name(text: str) -> None:
    assert parse_name(text, "author") is None


def test_names_joined_by_semicolons_are_several() -> None:
    assert parse_names("Moss, Ada ; Fern, Bo;", "editor") == [
        Creator("editor", "Moss", "Ada"),
        Creator("editor", "Fern", "Bo"),
    ]


def test_names_on_lines_of_their_own_are_several() -> None:
    assert parse_names("Moss, Ada\nFern, Bo", "author") == [author("Moss", "Ada"), author("Fern", "Bo")]


def test_a_name_that_was_wrapped_is_one() -> None:
    assert parse_names("Moss,\nAda", "author") == [author("Moss", "Ada")]
    assert parse_names("The Long Wall\nConsortium", "author") == [author(name="The Long Wall Consortium")]
