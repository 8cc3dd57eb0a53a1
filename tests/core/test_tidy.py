"""What the library gets where a drop says something that no library should hold; and that the reading itself is literal."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync import drops
from sync.core.record import Creator, Entry, Reading, Record
from sync.core.ris import read
from sync.core.ris_fields import to_reading
from sync.core.tidy import MESSAGES, tidied


def literal(*lines: str) -> Reading:
    text = "\n".join(["TY  - JOUR", *lines, "ER  - ", ""])
    (entry,) = (part for part in read(drops.lines_of(text.encode())) if isinstance(part, Entry))
    return to_reading(entry)


def library(*lines: str) -> Record:
    record = tidied(literal(*lines)).record
    assert record is not None
    return record


def codes(*lines: str) -> list[str]:
    return [problem.code for problem in literal(*lines).problems]


@pytest.mark.parametrize(
    ("code", "line", "name", "as_read", "as_got"),
    [
        ("placeholder", "AB  - NA", "abstractNote", "NA", None),
        ("placeholder", "PY  - n/a", "date", "n/a", None),
        ("placeholder", "SP  - No-Specified", "pages", "No-Specified", None),
        ("issue-odd", "M1  - Query date: 2022-03-14", "issue", "Query date: 2022-03-14", None),
        ("addresses-joined", "UR  - https://a.example/1 https://b.example/2", "url", "https://a.example/1 https://b.example/2", "https://a.example/1"),
        ("issn-odd", "SN  - 19997779 (ISSN)", "ISSN", "19997779 (ISSN)", "1999-7779"),
        ("issn-odd", "SN  - 19997779 (ISSN); 02226669 (eISSN)", "ISSN", "19997779 (ISSN); 02226669 (eISSN)", "1999-7779, 0222-6669"),
        ("pages-odd", "SP  - pp 37-64", "pages", "pp 37-64", "37-64"),
        ("pages-odd", "SP  - 43\u201058", "pages", "43\u201058", "43-58"),
    ],
)  # fmt: skip
def test_a_field_is_read_as_it_stands_and_the_library_gets_it_mended(
    code: str, line: str, name: str, as_read: str, as_got: str | None
) -> None:
    reading = literal("TI  - Walls", line)
    assert reading.record
    assert reading.record.fields[name] == as_read
    assert codes("TI  - Walls", line) == [code]
    assert library("TI  - Walls", line).fields.get(name) == as_got


def test_a_value_that_is_taken_away_is_kept_with_its_tag() -> None:
    made = library(
        "TI  - Walls", "AB  - NA", "M1  - Query date: 1", "UR  - https://a.example/1 https://b.example/2", "AU  - ..."
    )
    assert set(made.unmapped) == {("AB", "NA"), ("M1", "Query date: 1"), ("UR", "https://b.example/2"), ("AU", "...")}


@pytest.mark.parametrize(
    ("value", "as_read", "as_got"),
    [
        ("Moss, Ada; Fern, Bo", [("Moss", "Ada; Fern, Bo", "")], [("Moss", "Ada", ""), ("Fern", "Bo", "")]),
        ("Moss C D", [("", "", "Moss C D")], [("Moss", "C D", "")]),
        ("C. Moss", [("", "", "C. Moss")], [("Moss", "C.", "")]),
        ("Moss, A. and", [("Moss", "A. and", "")], [("Moss", "A.", "")]),
        ("...", [("", "", "...")], []),
        ("NA", [("", "", "NA")], []),
        ("Moss, Ada", [("Moss", "Ada", "")], [("Moss", "Ada", "")]),
        ("The Wall Consortium", [("", "", "The Wall Consortium")], [("", "", "The Wall Consortium")]),
    ],
)  # fmt: skip
def test_names_are_read_as_they_stand_and_the_library_gets_persons(
    value: str, as_read: list[tuple[str, str, str]], as_got: list[tuple[str, str, str]]
) -> None:
    def parts(creators: tuple[Creator, ...]) -> list[tuple[str, str, str]]:
        return [(c.last, c.first, c.name) for c in creators]

    record = literal(f"AU  - {value}").record
    assert record
    assert parts(record.creators) == as_read
    assert parts(library(f"AU  - {value}").creators) == as_got


def test_pages_with_a_placeholder_for_their_end_are_one_page() -> None:
    assert library("SP  - e129", "EP  - NA").fields["pages"] == "e129"


def test_a_whole_record_is_the_same_object() -> None:
    reading = literal("TI  - Walls", "AU  - Moss, Ada")
    assert tidied(reading) is reading


lines = st.lists(
    st.tuples(
        st.sampled_from(["TI", "AU", "AB", "SP", "EP", "M1", "UR", "KW", "PY", "A2", "JO"]),
        st.sampled_from(["NA", "n/a", "Moss, A; Fern, B", "Moss A B", "pp 3", "e1-e1", "12", "x https://a.example/ https://b.example/", "A: b", ";", "-"]),
    ),
    max_size=8,
)  # fmt: skip


@given(lines)
def test_tidying_twice_is_tidying_once_and_nothing_is_lost(pairs: list[tuple[str, str]]) -> None:
    reading = literal(*(f"{tag}  - {value}" for tag, value in pairs))
    once = tidied(reading)
    event("doubted" if {p.code for p in reading.problems} & MESSAGES.keys() else "plain")
    assert tidied(once).record == once.record
    assert once.record
    people = [c.last + " " + c.first + c.name for c in once.record.creators]
    kept = " ".join([*once.record.fields.values(), *once.record.tags, *people, *(v for _, v in once.record.unmapped)])
    assert [value for _, value in pairs if not set(_words(value)) <= set(_words(kept))] == []


def _words(text: str) -> list[str]:
    return [word for word in text.replace(";", " ").replace(",", " ").replace("-", " ").split() if word != "pp"]
