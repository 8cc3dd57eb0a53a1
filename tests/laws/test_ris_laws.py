"""Laws of reading RIS, over drops that nobody thought of."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import event, find, given, settings
from hypothesis import strategies as st

from sync import drops
from sync.core.record import Entry, Gap, Reading
from sync.core.ris import read
from sync.core.ris_fields import to_reading
from sync.core.ris_scan import scan

TAGS = ("TI", "AU", "T2", "PY", "AB", "KW", "UR", "SN", "C3", "DO", "N1")
WORDS = (
    "walls",
    "Lichens",
    "of",
    "- quiet",
    "ER+",
    "T1-weighted",
    "Möß, Ada",
    "10.5555/x.1",
    "2019",
    "–",
    "a;b",
    "TYPE:",
    "I -",
)

values = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
fields = st.tuples(st.sampled_from(TAGS), values)
references = st.lists(fields, min_size=1, max_size=6)
libraries = st.lists(references, min_size=1, max_size=4)

junk = st.sampled_from(
    [
        "",
        "  ",
        "Record #1 of 2",
        "and more words",
        "ER  - ",
        "ER  - done",
        "TY  - ",
        "NL  - x",
        "ZZ  - odd",
        "pmid - 1",
        "\ufeff",
        "AI - based",
    ]
)
lines = st.one_of(
    junk,
    fields.map(lambda field: f"{field[0]}  - {field[1]}"),
    fields.map(lambda field: f"{field[0]} - {field[1]}"),
    st.sampled_from(
        [
            "TY  - JOUR",
            "TY - BOOK",
            "TY  - JOUR TI  - Walls AU  - Moss, A ER  - ",
            "x TY - JOUR TI - Walls AU - Moss, A ER - the end",
        ]
    ),
)
ends = st.sampled_from(["\n", "\r\n", "\r", " "])


drops_of_lines = st.lists(st.tuples(lines, ends), max_size=25).map(
    lambda drop: "".join(line + end for line, end in drop)
)


def tidy(library: list[list[tuple[str, str]]], separator: str, end: str) -> str:
    written = [
        end.join(
            [
                "TY" + separator + "JOUR",
                *(tag + separator + value for tag, value in reference),
                "ER" + separator.rstrip(),
            ]
        )
        for reference in library
    ]
    return end.join(written) + end.strip(" ")


def parts(text: str) -> list[Entry | Gap]:
    return list(read(drops.lines_of(text.encode(), "utf-8")))


def tagged(text: str) -> list[list[tuple[str, str]]]:
    return [
        [(tag, value) for tag, value, _ in part.tagged if tag not in {"TY", "ER"}]
        for part in parts(text)
        if isinstance(part, Entry)
    ]


def black(text: str) -> str:
    """The text without white space and marks that are not seen."""
    return re.sub(r"[\s\ufeff]", "", text)


@given(libraries, st.sampled_from(["  - ", " - ", "  -  ", "\t-\t"]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_was_written_is_read(library: list[list[tuple[str, str]]], separator: str, end: str) -> None:
    event(f"separator {separator!r}")
    assert tagged(tidy(library, separator, end)) == library


@given(libraries)
def test_lost_line_breaks_lose_nothing_else(library: list[list[tuple[str, str]]]) -> None:
    event(f"{len(library)} references in a line")
    assert tagged(tidy(library, " - ", " ")) == library


@given(drops_of_lines)
def test_every_letter_is_in_an_entry_or_a_gap_once(text: str) -> None:
    found = parts(text)
    event("damaged" if any(isinstance(part, Entry) and part.problems for part in found) else "whole")
    assert Counter(black("".join(part.text for part in found))) == Counter(black(text))


@given(drops_of_lines)
def test_entries_stand_in_order_and_do_not_overlap(text: str) -> None:
    found = [part for part in parts(text) if isinstance(part, Entry)]
    event(f"{min(len(found), 3)} entries or more")
    assert [entry.ordinal for entry in found] == list(range(1, len(found) + 1))
    place = 0
    for entry in found:
        assert place <= entry.bytes[0] <= entry.anchor < entry.bytes[1] <= len(text.encode())
        place = entry.bytes[1]
    assert len({entry.anchor for entry in found}) == len(found)


@given(drops_of_lines)
def test_every_entry_becomes_a_record_and_keeps_its_words(text: str) -> None:
    found = [to_reading(part) for part in parts(text) if isinstance(part, Entry)]
    event("something was said" if any(len(reading.entry.tagged) > 2 for reading in found) else "little was said")
    for reading in found:
        assert words(reading.entry.text) <= words(said(reading))


@settings(max_examples=400)
@given(drops_of_lines, st.integers(1, 60))
def test_whole_references_are_taken_as_line_by_line(text: str, size: int) -> None:
    data = text.encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found = list(scan(chunks, lambda raw: raw.decode("utf-8", "replace"), 3 * text.startswith("\ufeff")))
    event("an intact one" if "TY  - JOUR\n" in text and "\nER  - \n" in text else "none intact")
    assert found == parts(text)


whole = libraries.map(lambda library: tidy(library, "  - ", "\n"))


@given(whole, st.integers(1, 60))
def test_intact_files_are_taken_whole_with_the_same_result(text: str, size: int) -> None:
    data = text.replace("\nER  -\n", "\nER  - \n\n").encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(scan(chunks, lambda raw: raw.decode())) == list(read(drops.lines_of(data, "utf-8")))


@given(libraries, st.data())
def test_a_cut_at_any_byte_loses_only_the_reference_that_was_cut(
    library: list[list[tuple[str, str]]], data: st.DataObject
) -> None:
    text = tidy(library, "  - ", "\n").encode()
    place = data.draw(st.integers(0, len(text)))
    intact = [part for part in read(drops.lines_of(text, "utf-8")) if isinstance(part, Entry)]
    cut = [part for part in read(drops.lines_of(text[:place], "utf-8")) if isinstance(part, Entry)]
    before = [entry for entry in intact if entry.bytes[1] <= place]
    event("inside a reference" if len(cut) > len(before) else "between two")
    assert [entry.tagged for entry in cut[: len(before)]] == [entry.tagged for entry in before]
    assert len(cut) <= len(before) + 1
    for entry in cut[len(before) :]:
        whole_one = intact[len(before)]
        assert entry.problems or entry.tagged == whole_one.tagged
        assert set(entry.tagged[:-1]) <= set(whole_one.tagged)


def test_a_cut_inside_a_line_is_a_question_and_one_after_a_line_is_not() -> None:
    text = "TY  - JOUR\nTI  - Walls\nDO  - 10.5555/walls.123\nER  - \n"
    (inside,) = parts(text[: text.index("123") + 1])
    (after,) = parts(text[: text.index("ER")])
    assert isinstance(inside, Entry)
    assert isinstance(after, Entry)
    assert [problem.code for problem in inside.problems] == ["cut-off", "end-missing"]
    assert inside.doubtful
    assert [problem.code for problem in after.problems] == ["end-missing"]
    assert not after.doubtful


def words(text: str) -> set[str]:
    """Words of three letters or more that stand for nothing else: no tags, no numbers."""
    return set(re.findall(r"[^\W\d_]{3,}", text.replace("JOUR", "").replace("BOOK", ""))) - {"pmid", "and", "doi"}


def said(reading: Reading) -> str:
    record = reading.record
    assert record is not None
    people = [f"{creator.last} {creator.first} {creator.name}" for creator in record.creators]
    kept = [value for _, value in record.unmapped]
    return "\n".join([*record.fields.values(), *record.tags, *record.notes, *people, *kept])


CASES = (
    "line-breaks-lost",
    "end-missing",
    "type-missing",
    "type-late",
    "tags-after-end",
    "end-with-text",
    "tag-shape",
)


@pytest.mark.parametrize("code", CASES)
def test_the_laws_meet_every_kind_of_damage(code: str) -> None:
    """Raises NoSuchExample, and so fails, where the strategy never makes this damage."""

    def has(text: str) -> bool:
        return any(problem.code == code for part in parts(text) if isinstance(part, Entry) for problem in part.problems)

    assert has(find(drops_of_lines, has, settings=settings(max_examples=5000, database=None)))
