"""The sums add up, the codes follow from what happened, and nothing from a file reaches a terminal raw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.core.record import Entry, Problem, Reading, Record
from sync.report import (
    OUTCOMES,
    DropReport,
    RecordLine,
    RunReport,
    as_json,
    as_text,
)
from sync.report.records import reading_json, reading_text
from sync.report.words import printable


def line(outcome: str, ordinal: int = 1, **facts: object) -> RecordLine:
    plain = RecordLine(ordinal, outcome, "ABCD2345", "A title")
    return replace(plain, **facts)  # type: ignore[arg-type]


def run(*drops: DropReport, **facts: object) -> RunReport:
    return replace(RunReport("r1", "2026-11-23T08:00:00Z", 1.25, {"crossref": 1, "zotero": 0}, drops), **facts)  # type: ignore[arg-type]


def drop(*lines: RecordLine, entries: int | None = None, **facts: object) -> DropReport:
    plain = DropReport("a.ris", "ab" * 32, len(lines) if entries is None else entries, lines)
    return replace(plain, **facts)  # type: ignore[arg-type]


def test_every_outcome_is_counted_and_their_sum_is_the_entries() -> None:
    one = drop(*(line(outcome, number) for number, outcome in enumerate(OUTCOMES, start=1)))
    assert one.outcomes == dict.fromkeys(OUTCOMES, 1)
    assert one.adds_up
    assert not drop(line("created"), entries=2).adds_up
    assert not drop(line("vanished")).adds_up


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (run(drop(line("created"))), 0),
        (run(), 0),
        (run(drop(line("left"))), 0),
        (run(drop(line("waiting"))), 4),
        (run(drop(line("refused"), line("waiting", 2))), 5),
        (run(drop(line("unreadable"))), 5),
        (run(drop(message="no record found")), 5),
        (run(drop(line("created"), entries=2)), 1),
        (run(drop(line("created")), failure="x", failure_code=8), 8),
        (run(drop(line("asked"))), 0),
    ],
)
def test_the_exit_code_follows_from_what_happened(report: RunReport, code: int) -> None:
    assert report.exit_code() == code


def test_a_question_is_a_6_only_if_one_is_strict() -> None:
    assert run(drop(line("asked"))).exit_code(strict=True) == 6
    assert run(drop(line("left"))).exit_code(strict=True) == 0


def test_the_json_has_the_shape_that_others_hold_on_to() -> None:
    told = as_json(
        run(drop(line("created", problems=(Problem("c", "m", 3),), sources=("crossref",), reasons=("doi",))), written=1)
    )
    assert told["schema"] == 1
    assert {"run", "started", "seconds", "requests", "changed", "drops"} <= set(told)
    assert told["changed"] is True
    (one,) = told["drops"]
    assert {"path", "sha256", "entries", "outcomes", "records"} <= set(one)
    assert sum(one["outcomes"].values()) == one["entries"]
    (record,) = one["records"]
    assert record["key"] == "ABCD2345"
    assert record["problems"] == [{"code": "c", "message": "m", "line": 3}]
    assert as_json(run(drop(line("asked", key=""))))["drops"][0]["records"][0]["key"] is None


def test_the_text_says_what_came_in_and_how_it_ended() -> None:
    text = as_text(run(drop(line("created"), line("merged", 2), gap_lines=3)))
    assert "a.ris: 2 records" in text
    assert "2 records in = 1 created + 1 merged" in text
    assert "Requests: 1 to Crossref." in text
    assert "3  lines between the records" in text


def test_a_file_that_could_not_be_attached_is_told_once_where_all_have_the_same_reason() -> None:
    first, other = (Problem("file-quota", message) for message in ("there is no room", ""))
    text = as_text(run(drop(line("created", problems=(first,)), line("created", 2, problems=(other,)))))
    assert text.count("file-quota") == 1
    assert "    ! file-quota: there is no room" in text
    verbose = as_text(run(drop(line("created", problems=(other,)))), verbose=True)
    assert verbose.splitlines()[3] == "    ! file-quota"


def test_a_drop_that_was_worked_off_before_says_so() -> None:
    assert "nothing was changed" in as_text(run(drop(line("left", reasons=("same-drop",)))))


def test_what_is_away_and_owed_is_told() -> None:
    report = run(
        drop(line("created", owed=("pubmed",))), away={"pubmed": "pubmed could not be reached"}, filled=2, dry=True
    )
    text = as_text(report)
    assert "PubMed could not be reached" in text
    assert "To be asked again by the next sync or the running service: PubMed (1 record)." in text
    assert "2 items of earlier drops were filled" in text
    assert "Dry run: nothing was written." in text
    assert "Zotero: gone fishing" in as_text(run(drop(line("waiting")), away={"zotero": "gone fishing"}))


def test_an_empty_run_says_that_there_is_nothing_to_do() -> None:
    assert "Nothing to do" in as_text(run())


def test_trouble_is_shown_first_and_long_lists_are_cut_unless_asked_for() -> None:
    many = drop(*(line("refused", number) for number in range(1, 31)))
    assert "... and 10 more" in as_text(run(many))
    assert "30. refused" in as_text(run(many), verbose=True)
    assert "Stopped: no disk" in as_text(run(failure="no disk", failure_code=1))


def test_escape_sequences_of_a_file_do_not_reach_the_terminal() -> None:
    nasty = "\x1b[2Jgone\x07\x9b31m"
    assert "\x1b" not in printable(nasty)
    text = as_text(run(drop(line("refused", title=nasty, problems=(Problem("c", nasty),)), path=nasty)))
    assert not set("\x1b\x07\x9b") & set(text)


def test_a_reading_is_shown_with_everything_in_it() -> None:
    entry = Entry(1, (1, 4), (0, 99), 0, (), "raw")
    record = Record("book", fields={"title": "Kelp"}, tags=("a",), identifiers={"PMID": "7"}, unmapped=(("X1", "v"),))
    told = reading_json(Reading(entry, record, (Problem("c", "m"),)))
    assert (told["ordinal"], told["lines"], told["bytes"]) == (1, [1, 4], [0, 99])
    assert told["item"] == {"itemType": "book", "title": "Kelp", "tags": [{"tag": "a"}]}
    assert told["unmapped"] == [["X1", "v"]]
    text = reading_text(Reading(entry, record, (Problem("c", "m"),)))
    assert "1. lines 1-4: book" in text
    assert "(no place) X1: v" in text
    empty = Reading(entry, None, (Problem("empty", "nothing"),))
    assert reading_json(empty)["item"] is None
    assert "unreadable" in reading_text(empty)
