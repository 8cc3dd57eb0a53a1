"""Reading takes short ways where nothing needs care; each gives what the long one gives, problems and order included."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from sync import drops
from sync.core import draft, encodings, headings, markup, names, ris_actions, ris_fields
from sync.core.draft import Draft, clean, is_plain
from sync.core.folding import fold
from sync.core.record import Entry, Gap, Reading, Rows, Tagged
from sync.core.ris import read
from sync.core.ris_lines import KNOWN
from sync.core.ris_scan import scan
from sync.core.ris_tables import ITEM_TYPES
from sync.core.tidy import PLACEHOLDERS, odd_pages, plain_pages

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
VALUES = (
    "Walls", "of  two blanks", "one line\nand more", "NA", "n/a", "NA  ", "- ", "Moss, Ada", "Moss C D", "Moss, A; Lee, B", "WHO Group",
    "12", "12-21", "e17-e17", "e50113", "12345-12345", "S1\u2010S9", "1234-5679", "1234-567X", "978-3-16-148410-0", "2019", "2019/02/03/",
    "2018///Spring", "in press", "FEB 12", "10.5555/walls.1", "doi: 10.5555/x", "10.1002/central/CN-1", "https://doi.org/10.5555/x",
    "https://example.org/1", "https://a.example https://b.example", "PM:123", "PMID: 123", "PMC1234", "1234 [pmid]", "MEDLINE", "EBSCO: x",
    "a & b", "a &amp; b", "<i>x</i>", "H<sub>2</sub>O", "x\u200by", "a\tb", "Möß", "M\u00f6", "e\u0301", "Ã©", "\u201cx\u201d", "one; two",
    "one, two", "\u0662\u0663", "See 10.5555/y.", "Text. doi: 10.5555/z", "\u00a0",
)  # fmt: skip

values = st.one_of(st.sampled_from(VALUES), st.text(max_size=12)).map(str.strip)
rows = st.lists(st.tuples(st.sampled_from([*sorted(KNOWN), "PMID", "DOI", "ISSN", "ZZ"]), values), max_size=14)
words = st.sampled_from([*sorted(ITEM_TYPES), "jour", "XXXX", ""])
entries = st.builds(lambda word, said: entry_of([("TY", word), *said, ("ER", "")]), words, rows)


def entry_of(said: list[tuple[str, str]]) -> Entry:
    tagged = tuple((tag, value, line) for line, (tag, value) in enumerate(said, 1))
    text = "\n".join(f"{tag}  - {value}" for tag, value in said)
    return Entry(1, (1, len(said)), (0, len(text)), 0, tagged, text)


def the_long_way(into: Draft, plan: ris_fields._Plan, of: Rows, *, plain: bool) -> None:  # noqa: ARG001 - it is never taken for plain
    """Every value is cleaned, every action is called."""
    for place, tag, _, _, step in plan.lines:
        into.line = of.lines[place]
        value = clean(tag, of.values[place]) if of.values[place] else ""
        if not value and (not of.values[place] or (step.field and not step.hides)):
            continue
        if value in PLACEHOLDERS:
            into.doubt("placeholder")
        if not ris_fields._act(into, step, tag, value):
            into.keep(tag, value)


@contextmanager
def long_ways() -> Iterator[None]:
    """Nothing is known to be plain, nothing is remembered."""
    with (
        mock.patch.object(ris_fields, "_place_all", the_long_way),
        mock.patch.object(ris_fields, "is_plain", return_value=False),
        mock.patch.object(ris_fields, "_plan", ris_fields._plan.__wrapped__),
        mock.patch.object(ris_actions, "_hints", ris_actions._hints.__wrapped__),
        mock.patch.object(ris_fields, "names_as_written", names.names_as_written.__wrapped__),
        mock.patch.object(ris_fields, "odd_pages", lambda pages: plain_pages(pages) != pages),
    ):
        yield


def same(entry: Entry) -> Reading:
    """The reading of an entry, which is the same by short ways and by long ones."""
    short = ris_fields.to_reading(entry)
    with long_ways():
        long = ris_fields.to_reading(entry)
    assert short == long
    assert short.record is not None
    assert long.record is not None
    assert list(short.record.fields.items()) == list(long.record.fields.items())
    return short


@settings(max_examples=200)
@given(entries)
def test_short_ways_give_the_same_record_and_the_same_problems(entry: Entry) -> None:
    event("plain" if is_plain(entry) else "to be cleaned")
    reading = same(entry)
    event("doubted" if reading.problems else "not doubted")


def test_short_ways_give_the_same_over_the_corpus() -> None:
    found = [part for path in sorted(CORPUS.glob("*.ris")) for part in parts(path) if isinstance(part, Entry)]
    assert len(found) > 50
    for entry in found:
        same(entry)
    assert any(is_plain(entry) for entry in found)
    assert not all(is_plain(entry) for entry in found)


def parts(path: Path) -> list[Entry | Gap]:
    return list(read(drops.lines_of(path.read_bytes())))


TITLE_WORDS = [
    "erratum",
    "errata",
    "corrigendum",
    "correction",
    "corrections",
    "to",
    "in",
    "for",
    "re",
    "reply",
    "replying",
    "response",
    "responses",
    "letter",
    "letters",
    "comment",
    "comments",
    "commentary",
    "on",
    "discussion",
    "of",
    "rebuttal",
    "rebuttals",
    "author",
    "authors",
    "publisher",
    "protocol",
    "protocols",
    "abstract",
    "abstracts",
    "from",
    "presented",
    "part",
    "phase",
    "trial",
    "cohort",
    "study",
    "i",
    "ii",
    "iv",
    "v",
    "x",
    "a",
    "b",
    "1",
    "02",
    "two",
    "tenth",
    "retraction",
    "notice",
    "expression",
    "concern",
    "withdrawal",
    "kelp",
    "sea",
    "更正",
    "é",
]
PAIRS = list(itertools.product(TITLE_WORDS, TITLE_WORDS))
TITLES = [
    *TITLE_WORDS,
    *(" ".join(words) for one, two in PAIRS for words in ((one, two), ("kelp", one, two), (one, two, "kelp"))),
]


def test_a_title_without_a_telling_word_bears_no_mark() -> None:
    marked = [title for title in TITLES if any(pattern.search(title) for pattern in headings._MARKS.values())]
    assert len(marked) > 1000
    assert [title for title in marked if not headings._may_be_marked(title)] == []
    assert sum(map(headings._may_be_marked, TITLES)) < len(TITLES)


def test_a_title_without_a_counting_word_counts_with_digits_alone() -> None:
    patterns = (headings._PART, headings._ROMAN, headings._NUMBER_WORD)
    counted = [title for title in TITLES if any(pattern.search(title) for pattern in patterns)]
    assert len(counted) > 500
    assert [title for title in counted if headings._COUNTING.isdisjoint(title.split(" "))] == []
    assert any(headings._COUNTING.isdisjoint(title.split(" ")) for title in TITLES)


@example("Î0¡")
@given(st.one_of(st.text(), st.lists(st.sampled_from(VALUES)).map(" ".join)))
def test_plain_is_what_cleaning_would_not_change(text: str) -> None:
    plain = draft._ODD.search(text) is None and unicodedata.is_normalized("NFC", text)
    event("plain" if plain else "not plain")
    assert is_plain(Entry(1, (1, 1), (0, 1), 0, (), text)) is plain


@given(st.one_of(st.text(max_size=8), st.from_regex(r"[0-9e]{1,5}[-\u2010]?[0-9e]{0,5}", fullmatch=True)))
def test_odd_pages_are_those_that_would_be_written_otherwise(pages: str) -> None:
    event("odd" if plain_pages(pages) != pages else "plain")
    assert odd_pages(pages) is (plain_pages(pages) != pages)


pieces = st.lists(st.sampled_from([b"abc", b" ", b"\n", b"\r\n", b"\r", "é".encode(), "中".encode(), b"\xe9", b"x\n"]))


@given(pieces.map(b"".join), st.integers(1, 20))
def test_an_encoding_is_found_the_same_where_all_is_utf8_at_once(data: bytes, size: int) -> None:
    def guess() -> tuple[object, int]:
        detector = encodings.Detector()
        for at in range(0, len(data), size):
            detector.feed(data[at : at + size])
        return detector.result(), detector._utf8_lines

    short = guess()
    with mock.patch.object(encodings.Detector, "_all_utf8", return_value=False):
        assert guess() == short
    event("guessed" if short[0] != encodings.Guess("utf-8") else "UTF-8")


@given(st.lists(st.tuples(st.sampled_from(["TI", "AU"]), st.sampled_from(["x", "y"]), st.integers(1, 9))))
def test_rows_by_columns_are_the_rows(said: list[Tagged]) -> None:
    rows, plain = Rows.of(said), tuple(said)
    assert rows == plain
    assert plain == rows
    assert rows == Rows.of(rows)
    assert hash(rows) == hash(plain)
    assert (list(rows), len(rows), rows[1:], repr(rows)) == (said, len(said), plain[1:], repr(plain))
    assert [rows[place] for place in range(len(rows))] == said
    assert rows != (*plain, ("TI", "z", 1))


def test_a_byte_order_mark_may_come_in_pieces() -> None:
    data = "\ufeffTY  - JOUR\nTI  - Walls\nER  - \n".encode()
    found = list(scan([data[at : at + 1] for at in range(len(data))], lambda raw: raw.decode(), 3))
    assert found == list(read(drops.lines_of(data)))


def test_short_ways_give_the_same_for_every_tag_that_hides_an_identifier() -> None:
    for tag in sorted(KNOWN):
        for value in ("10.5555/walls.1", "PMID: 12345678", "12"):
            same(entry_of([("TY", "JOUR"), (tag, value), ("ER", "")]))


def test_values_without_a_place_stand_in_the_order_of_reading() -> None:
    reading = same(
        entry_of([("TY", "JOUR"), ("YR", "2018"), ("IS", "1"), ("C3", "x"), ("SP", "e1-e1"), ("C1", "y"), ("ER", "")])
    )
    assert reading.record is not None
    assert [tag for tag, _ in reading.record.unmapped] == ["YR", "C3", "C1"]
    assert [(problem.code, problem.line) for problem in reading.problems] == [("tag-unknown", 2), ("pages-odd", 3)]


@pytest.mark.parametrize(
    ("code", "tag", "value"),
    [
        ("placeholder", "JO", "NA"),
        ("names-joined", "AU", "Moss, A; Lee, B"),
        ("name-undivided", "AU", "Moss C D"),
        ("pages-odd", "SP", "e17-e17"),
        ("addresses-joined", "UR", "https://a.example https://b.example"),
        ("tag-unknown", "ZZ", "12"),
        ("empty", "ZZ", ""),
    ],
)
def test_what_needs_care_is_seen_by_both_ways(code: str, tag: str, value: str) -> None:
    reading = same(entry_of([("TY", "JOUR"), (tag, value), ("ER", "")]))
    assert code in [problem.code for problem in reading.problems]


@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "&lt;",
                "&amp;",
                "&amp;lt;i&gt;",
                "<",
                ">",
                "\n",
                " ",
                "\x02",
                "\u00a0",
                "<i>",
                "</i>",
                "&nbsp;",
                "p",
                ".",
            ]
        )
    ).map("".join)
)
def test_a_text_without_tags_needs_no_tree(said: str) -> None:
    prepared = markup._prepared(said)
    event("tags" if markup.may_hold_tags(prepared) else "plain")
    tree = markup._tree(prepared)
    if "<" in said or "&" in said:
        assert markup.rich(said) == markup._line(markup._walk(tree, " "))
    if not markup.may_hold_tags(prepared):
        lines = "".join(markup._walk(tree, "\n", keep_lines=True)).splitlines()
        assert markup.abstract(said) == "\n".join(markup._headed(lines))
        assert fold(said.replace("\x02", "")) == fold(markup.plain(said.replace("\x02", "")))
