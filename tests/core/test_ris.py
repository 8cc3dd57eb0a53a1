"""Every line of a drop ends up in an entry or in a gap, and every repair is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sync import drops
from sync.core import ris, ris_scan
from sync.core.record import Entry, Gap, SourceLine
from sync.core.ris import looks_like, read
from sync.core.ris_scan import scan

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def parts(text: str | bytes, encoding: str = "auto") -> list[Entry | Gap]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read(drops.lines_of(data, encoding)))


def entries(text: str | bytes, encoding: str = "auto") -> list[Entry]:
    return [part for part in parts(text, encoding) if isinstance(part, Entry)]


def gaps(text: str | bytes) -> list[Gap]:
    return [part for part in parts(text) if isinstance(part, Gap)]


def fixture(name: str) -> bytes:
    return (CORPUS / f"{name}.ris").read_bytes()


def codes(entry: Entry) -> list[str]:
    return [problem.code for problem in entry.problems]


def values(entry: Entry, tag: str) -> list[str]:
    return [value for known, value, _ in entry.tagged if known == tag]


# ---- the whole of it ----------------------------------------------------------------------------------------------

SHAPES: Sequence[tuple[str, int, int, set[str]]] = (
    # fixture, entries, gaps, what was repaired
    ("cochrane-headers", 2, 2, set()),
    ("continued", 1, 0, set()),
    ("cp1252", 1, 0, set()),
    ("ebsco-title", 1, 0, set()),
    ("embase", 1, 0, set()),
    ("end-missing", 2, 0, {"end-missing"}),
    ("glued-values", 1, 0, {"values-glued"}),
    ("jmir-one-line", 1, 0, {"line-breaks-lost"}),
    ("lone-cr", 2, 0, set()),
    ("long-tags", 1, 0, {"tag-shape"}),
    ("lower-case", 1, 0, {"tag-shape"}),
    ("notes-markup", 1, 0, set()),
    ("odd-separators", 1, 0, {"tag-shape"}),
    ("one-line-each", 2, 2, {"line-breaks-lost"}),
    ("one-space", 2, 0, {"tag-shape"}),
    ("ovid-after-end", 2, 0, {"tags-after-end"}),
    ("scholar-tool", 1, 0, set()),
    ("several-types", 2, 1, {"end-missing", "end-with-text"}),
    ("text-around", 1, 2, set()),
    ("two-flattened", 2, 0, {"line-breaks-lost"}),
    ("type-late", 2, 0, {"type-late"}),
    ("type-missing", 2, 0, {"type-missing"}),
    ("unknown-tags", 1, 0, set()),
)


# Fixtures of letters and of values: see `test_ris_fields`.
OTHERS = {
    "cut-off", "hidden-identifiers", "keywords-and-abstracts", "mac-roman", "mixed-encodings", "mojibake", "nfd", "odd-blanks",
    "pasted-twice", "tags-in-an-abstract", "utf-16",
}  # fmt: skip


def test_every_fixture_has_its_row() -> None:
    assert {name for name, *_ in SHAPES} | OTHERS == {path.stem for path in CORPUS.glob("*.ris")}


@pytest.mark.parametrize(("name", "count", "between", "repaired"), SHAPES, ids=[row[0] for row in SHAPES])
def test_a_quirk_is_read_and_named(name: str, count: int, between: int, repaired: set[str]) -> None:
    found = parts(fixture(name))
    assert looks_like("\n".join(line.text for line in drops.lines_of(fixture(name))))
    assert [part.ordinal for part in found if isinstance(part, Entry)] == list(range(1, count + 1))
    assert sum(isinstance(part, Gap) for part in found) == between
    assert {code for part in found if isinstance(part, Entry) for code in codes(part)} == repaired


@pytest.mark.parametrize("name", [row[0] for row in SHAPES if row[0] != "cp1252"])
def test_byte_ranges_hold_the_text_they_speak_of(name: str) -> None:
    data = fixture(name)
    for part in parts(data):
        start, end = part.bytes
        said = data[start:end].removeprefix(b"\xef\xbb\xbf").decode()
        assert said.replace("\r", "\n").split() == part.text.split()
        if isinstance(part, Entry):
            assert start <= part.anchor < end


# ---- lost line breaks ---------------------------------------------------------------------------------------------


def test_the_sample_comes_apart_at_its_tags() -> None:
    (entry,) = entries(fixture("jmir-one-line"))
    assert len(values(entry, "AU")) == 11
    assert len(values(entry, "KW")) == 12
    assert values(entry, "SN") == ["2561-326X"]
    assert len(values(entry, "UR")) == 3
    assert entry.tagged[-1][0] == "ER"
    assert entry.bytes == (0, len(fixture("jmir-one-line")))


def test_words_that_look_like_tags_do_not_cut_a_line() -> None:
    first, second = entries(fixture("two-flattened"))
    assert values(first, "AB") == ["T1-weighted walls and AI - based counts were used."]
    assert values(second, "TI") == ["A handbook of walls"]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("TY - JOUR TI - Walls AB - Of ER - positive walls. ER - TY - BOOK TI - Roofs ER -", [0, 55]),
        ("TY - JOUR TI - Walls ER - TY - BOOK TI - Roofs ER -", [0, 26]),
        ("TY - JOUR TI - Walls TY - BOOK TI - Roofs ER -", [0, 21]),
        ("TY - JOUR TI - Walls ER - Record #2 of 9 Provider: Stone Press TY - BOOK TI - Roofs ER -", [0, 63]),
    ],
)
def test_a_line_of_several_references_is_cut_where_each_begins(text: str, ends: list[int]) -> None:
    found = entries(text)
    assert [entry.anchor for entry in found] == ends
    assert [values(entry, "TI") for entry in found] == [["Walls"], ["Roofs"]]


def test_text_after_the_last_end_of_a_line_is_a_gap() -> None:
    text = "TY - JOUR TI - Walls ER - the very end"
    assert [(gap.text, gap.bytes) for gap in gaps(text)] == [("the very end", (25, 38))]
    assert values(entries(text)[0], "TI") == ["Walls"]


def test_words_before_a_reference_in_its_line_are_a_gap() -> None:
    text = "Exported from the Wall Index on Monday TY - JOUR TI - Walls AU - Moss, A ER -"
    assert [gap.text for gap in gaps(text)] == ["Exported from the Wall Index on Monday"]
    assert entries(text)[0].anchor == 39


def test_a_line_that_lost_its_breaks_and_its_type_is_cut_too() -> None:
    (entry,) = entries("JF - Wall Studies T1 - Walls AU - Moss, A PY - 2001 ER -")
    assert values(entry, "T1") == ["Walls"]
    assert codes(entry) == ["line-breaks-lost", "type-missing"]


def test_long_tags_are_seen_in_a_line_that_lost_its_breaks() -> None:
    (entry,) = entries("TY - JOUR TI - The DOI - a history PMID - 12345678 DOI - 10.5555/w.1 PMCID - PMC123 ER -")
    assert values(entry, "TI") == ["The DOI - a history"]
    assert values(entry, "PMID") == ["12345678"]
    assert values(entry, "DOI") == ["10.5555/w.1"]


def test_a_first_tag_in_another_shape_is_the_first_value_all_the_same() -> None:
    (entry,) = entries("\u00a0TY\u00a0\u2013\u00a0jour TI - Walls AU - Moss, A ER -")
    assert [tag for tag, _, _ in entry.tagged] == ["TY", "TI", "AU", "ER"]
    assert entry.bytes[0] == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "gb18030"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_offsets_inside_a_line_hold_in_every_encoding(encoding: str, end: str) -> None:
    letters = "中文" * 9 if encoding == "gb18030" else "Möß"
    text = f"TY - JOUR TI - {letters} AU - {letters}, A ER - TY - BOOK TI - Zwei ER -{end}"
    data = text.encode(encoding)
    plain = encoding.replace("-sig", "").replace("utf-16", "utf-16-le")
    first, second = parts(data, plain)
    mark = len(data) - len(text.encode(plain))
    assert second.bytes[0] == first.bytes[1] == mark + len(text[: text.index("TY - BOOK")].encode(plain))
    assert first.bytes[0] == 0
    assert second.bytes[1] == len(data)


def test_a_line_whose_length_fits_no_encoding_stays_inside_its_bytes() -> None:
    text = "TY - JOUR TI - Walls ER - TY - BOOK TI - Roofs ER -"
    (first, second) = (part for part in read([SourceLine(1, 0, 40, text)]))
    assert 0 == first.bytes[0] < first.bytes[1] <= second.bytes[1] == 40


# ---- tags in odd shapes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "TI  - Walls",
        "TI - Walls",
        "TI  -  Walls",
        "TI-  Walls",
        "TI\t-\tWalls",
        "\u00a0TI\u00a0- Walls",
        "TI  \u2013 Walls",
        "  TI  - Walls",
        "\u200bTI  - Walls",
    ],
)
def test_a_tag_is_known_in_every_shape(line: str) -> None:
    (entry,) = entries(f"TY  - JOUR\n{line}\nER  - \n")
    assert values(entry, "TI") == ["Walls"]


@pytest.mark.parametrize(
    "line",
    [
        "AI - based tools",
        "T1-weighted walls",
        "ER - positive walls",
        "ZZ - unknown",
        "TYPE: list",
        "see PMID - there",
        "ti - in lower case",
        "p - value",
    ],
)
def test_words_of_a_wrapped_line_are_no_tag(line: str) -> None:
    (entry,) = entries(f"TY  - JOUR\nAB  - Words\n{line}\nUR  - x\nER  - \n")
    assert values(entry, "AB") == [f"Words\n{line}"]
    assert values(entry, "UR") == ["x"]


def test_an_unknown_tag_in_the_right_shape_is_a_tag_inside_a_reference_alone() -> None:
    assert values(entries("TY  - JOUR\nZZ  - odd\nQQ  -odd\nER  - \n")[0], "ZZ") == ["odd"]
    assert values(entries("TY  - JOUR\nZZ  - odd\nQQ  -; odd\nER  - \n")[0], "QQ") == ["; odd"]
    assert [gap.text for gap in gaps("QQ  -; odd\nTY  - JOUR\nER  - \n")] == ["QQ  -; odd"]


def test_a_tag_without_blank_after_its_dash_is_a_tag() -> None:
    (entry,) = entries("TY  -JOUR\nN1  -; Moss\nER  -")
    assert values(entry, "TY") == ["JOUR"]
    assert values(entry, "N1") == ["; Moss"]


def test_lower_case_tags_are_tags_once_the_type_was_written_so() -> None:
    (entry,) = entries("ty  - jour\nti  - Walls\nTi  - not this\ner  - \n")
    assert values(entry, "TI") == ["Walls\nTi  - not this"]


def test_lines_are_cut_at_cr_too_and_never_at_other_separators() -> None:
    first, second = entries(fixture("lone-cr"))
    assert values(first, "AD") == ["Univ Wall, Stonetown", "Univ Roof, Stonetown"]
    assert values(first, "EP") == ["137"]
    assert values(second, "TY") == ["CONF"]
    (entry,) = entries("TY  - JOUR\nTI  - A\u2028B\u0085C\x0bD\nER  - \n")
    assert values(entry, "TI") == ["A\u2028B\u0085C\x0bD"]


# ---- whose is it? -------------------------------------------------------------------------------------------------


def test_continuation_lines_belong_to_their_value_with_their_blank_lines() -> None:
    (entry,) = entries("TY  - JOUR\nAB  - One\n\nTwo\nKW  - a\nb\n\nER  - \n")
    assert values(entry, "AB") == ["One\n\nTwo"]
    assert values(entry, "KW") == ["a\nb"]


def test_tags_after_the_end_belong_to_the_reference_above() -> None:
    first, second = entries(fixture("ovid-after-end"))
    assert values(first, "NL") == ["https://library.example/link?1"]
    assert values(second, "NL") == ["https://library.example/link?2"]
    assert first.lines == (1, 6)


def test_where_tags_stand_before_the_first_type_they_do_so_in_every_reference() -> None:
    first, second = entries(fixture("type-late"))
    assert values(first, "C1") == ["7"]
    assert values(second, "C1") == ["8"]


def test_text_after_early_tags_stays_with_them() -> None:
    (entry,) = entries("C1  - 7\nand more\nTY  - JOUR\nTI  - Walls\nER  - \n")
    assert values(entry, "C1") == ["7\nand more"]


def test_a_reference_without_type_is_kept_and_reported() -> None:
    first, second = entries("AU  - Moss, A\nTI  - Walls\nER  - \n\nAU  - Fern, B\nTI  - Roofs\n")
    assert codes(first) == ["type-missing"]
    assert codes(second) == ["type-missing", "end-missing"]
    assert values(second, "TI") == ["Roofs"]


def test_a_reference_without_end_is_kept_and_reported() -> None:
    first, second = entries(fixture("end-missing"))
    assert codes(first) == codes(second) == ["end-missing"]
    assert [values(entry, "AU") for entry in (first, second)] == [["Moss, Ada"], ["Fern, Bo"]]


def test_one_end_too_many_is_a_gap() -> None:
    assert [gap.text for gap in gaps("TY  - JOUR\nTI  - Walls\nER  - \nER  - \nER  - \n")] == ["ER  - \nER  - "]


def test_one_end_too_many_after_a_stray_tag_stays_with_the_tag() -> None:
    (entry,) = entries("TY  - JOUR\nTI  - Walls\nER  - \nNL  - x\nER  - \n")
    assert [tag for tag, _, _ in entry.tagged] == ["TY", "TI", "ER", "NL", "ER"]


def test_a_drop_without_any_reference_yields_gaps_alone() -> None:
    found = parts("Dear all,\n\nplease find\nattached\nAU  - Moss\n")
    assert [(type(part), part.text) for part in found] == [
        (Gap, "Dear all,"),
        (Gap, "please find\nattached\nAU  - Moss"),
    ]


def test_an_empty_drop_yields_nothing() -> None:
    assert parts("") == parts("\n \n") == []


def test_reading_is_lazy_and_long_text_between_references_is_not_hoarded() -> None:
    def endless() -> Iterator[SourceLine]:
        text = ["TY  - JOUR", "TI  - Walls", "ER  - "]
        number = 0
        while True:
            line = text[number] if number < len(text) else "noise"
            number += 1
            yield SourceLine(number, number * 10, number * 10 + 10, line)

    walk = read(endless())
    assert isinstance(next(walk), Entry)
    assert isinstance(next(walk), Gap)


# ---- telling RIS from the rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        "TY  - JOUR",
        "TY - JOUR AU - Moss",
        "x\n\nTY  -",
        "ty\t-\tjour",
        "Banner text TY - JOUR TI - x",
        "AU  - Moss\nTI  - Walls\nER  - ",
        "JF - W AU - M TI - W ER -",
    ],
)
def test_ris_is_known_by_its_tags(head: str) -> None:
    assert looks_like(head)


@pytest.mark.parametrize(
    "head",
    [
        "",
        "PMID- 1\nTI  - Walls\nAU  - Moss A\n",
        "@article{x,",
        "%0 Journal",
        "FN Clarivate\nPT J\nAU Moss",
        "<html>",
        "ER  - \nAU  - x",
        "<p>TYPE - x</p>",
    ],
)
def test_what_is_no_ris_is_not_taken_for_it(head: str) -> None:
    assert not looks_like(head)


# ---- confidence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("TY  - JOUR\nTI  - Walls\nER  - \n", False),
        ("TY - JOUR TI - Walls AU - Moss, A ER - \n", False),
        ("TY - JOUR TI - Walls AU - Moss, A TI - more walls ER - \n", True),
        ("TY - JOUR\nTI - Walls\nTI - more walls\nER -\n", False),
        ("TY  - JOUR\nTI  - Walls\n", False),
        ("TY  - JOUR\nTI  - Wal", True),
        ("TI  - Walls\nAU  - Moss, A\nER  - \n", False),
    ],
)
def test_a_repair_that_may_be_wrong_is_doubtful(text: str, *, doubtful: bool) -> None:
    (entry,) = (part for part in read(drops.lines_of(text.encode())) if isinstance(part, Entry))
    assert entry.doubtful is doubtful


def test_what_needs_no_repair_is_sure() -> None:
    (entry,) = (part for part in read(drops.lines_of(b"TY  - JOUR\nTI  - Walls\nER  - \n")) if isinstance(part, Entry))
    assert entry.confidence == 1.0


@pytest.mark.parametrize(
    "line",
    [
        "UR  - https://a.example     U2  - 1",
        "AB  - Of walls. ER - more",
        "KW  - walls\nTYPE: list",
        "KW  - walls\n ti - roofs",
        "AB  - one\n\n  two \n",
        "ZZ  - unknown",
        "T1  -",
        "AB  - a  - b",
        "TY  - BOOK",
        "AB  - one TI - two AU - three, A KW - four ER -",
    ],
)
@pytest.mark.parametrize("empty", ["", "T2  -\n"])
def test_a_reference_taken_whole_is_the_same_as_one_read_line_by_line(line: str, empty: str) -> None:
    text = f"TY  - JOUR\nTI  - Walls\n{empty}{line}\nPY  - 2019\nER  - \n\n" * 2
    assert list(scan([text.encode()], bytes.decode)) == parts(text, "utf-8")


# ---- limits ---------------------------------------------------------------------------------------------------------


def test_a_reference_that_is_longer_than_any_ends_and_its_rest_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ris, "MOST_LINES", 5)
    text = "TY  - JOUR\n" + "AU  - Moss, Ada\n" * 20 + "ER  - \n\nTY  - JOUR\nTI  - Walls\nER  - \n"
    first, rest, second = parts(text)
    assert isinstance(first, Entry)
    assert isinstance(rest, Gap)
    assert isinstance(second, Entry)
    assert [problem.code for problem in first.problems] == ["too-long"]
    assert first.doubtful
    assert rest.text.count("Moss") == 16
    assert values(second, "TI") == ["Walls"]


def test_a_value_that_is_longer_than_any_ends_its_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ris, "MOST_LETTERS", 50)
    text = "TY  - JOUR\nAB  - " + "word " * 20 + "\nTI  - after\nTY  - JOUR\nTI  - Walls\nER  - \n"
    first, rest, second = parts(text)
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert [problem.code for problem in first.problems] == ["too-long"]
    assert rest.text == "TI  - after"
    assert values(second, "TI") == ["Walls"]


def test_tags_without_end_that_belong_to_nothing_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ris, "MOST_LINES", 5)
    found = parts("TY  - JOUR\nTI  - One\nER  - \n" + "NL  - x\n" * 30 + "TY  - JOUR\nTI  - Two\nER  - \n")
    entries_found = [part for part in found if isinstance(part, Entry)]
    assert [values(entry, "TI") for entry in entries_found] == [["One"], ["Two"]]
    assert len(values(entries_found[0], "NL")) == 5
    assert sum(part.text.count("NL") for part in found if isinstance(part, Gap)) == 25


@pytest.mark.parametrize("longest", [40, 100, 300])
def test_a_line_of_many_references_may_come_in_pieces(longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"TY - JOUR TI - Walls {number} AU - Moss, A ER -" for number in range(50))
    whole = list(scan([text.encode()], bytes.decode))
    monkeypatch.setattr(ris_scan, "LONGEST", longest)
    monkeypatch.setattr(ris_scan, "LONGEST_LINE", 4 * longest)
    cut = list(scan([text.encode()], bytes.decode))
    assert len(whole) == 50
    assert [part.tagged for part in cut if isinstance(part, Entry)] == [
        part.tagged for part in whole if isinstance(part, Entry)
    ]
    assert {part.lines for part in cut} == {(1, 1)}


def test_lines_are_counted_where_every_value_has_two() -> None:
    text = "TY  - JOUR\n" + "AB  - x\nmore\n" * 3 + "KW  - y\nER  - \n"
    (entry,) = scan([text.encode()], lambda raw: raw.decode())
    assert isinstance(entry, Entry)
    assert [line for _, _, line in entry.tagged] == [1, 2, 4, 6, 8, 9]
    assert entry.lines == (1, 9)
