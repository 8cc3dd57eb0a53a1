"""What of a run a person should hear of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.core.record import Problem
from sync.errors import Locked, Outage, StateFault
from sync.notify import events
from sync.notify.events import Event, Sign
from sync.report import DropReport, RecordLine, RunReport, SeenLine

RUN = RunReport("run-1", "2026-11-27T08:00:00Z", 1.0, {"crossref": 1, "pubmed": 0, "zotero": 2})
TITLE = "A title that stays here"


def line(ordinal: int, outcome: str, *codes: str, key: str = "ABCD2345") -> RecordLine:
    return RecordLine(ordinal, outcome, key, TITLE, problems=tuple(Problem(code, TITLE, 1) for code in codes))


def of(*lines: RecordLine, message: str = "") -> list[Event]:
    drop = DropReport("x.ris", "sha", len(lines), lines, message=message)
    return list(events.happened(replace(RUN, drops=(drop,))))


def signs(report: RunReport) -> dict[str, Sign]:
    return {sign.name: sign for sign in events.lasting(report, "main", after=3)}


def test_a_drop_that_went_in_is_no_news() -> None:
    assert of(line(1, "created"), line(2, "merged", "line-breaks-lost")) == []


def test_a_drop_at_which_a_person_must_look_is_told_and_why() -> None:
    (event,) = of(line(1, "created"), line(2, "unreadable", key=""), line(3, "refused"))
    assert (event.kind, event.name) == ("held", "sha")
    assert event.text == "x.ris: 1 record refused; 1 record unreadable"
    (event,) = of(message="this is a PDF")
    assert (event.kind, event.text) == ("held", "x.ris: this is a PDF")


def test_a_drop_that_still_waits_is_not_held() -> None:
    assert of(line(1, "waiting"), line(2, "refused")) == []


def test_a_drop_that_was_not_read_because_the_run_failed_is_not_held() -> None:
    drop = DropReport("x.ris", "sha", 0, message="no key")
    assert list(events.happened(replace(RUN, drops=(drop,), failure="no key", failure_code=3))) == []


def test_more_questions_about_a_drop_are_another_event_and_the_same_are_not() -> None:
    one, again, two = of(line(1, "asked")), of(line(1, "asked")), of(line(1, "asked"), line(2, "asked"))
    assert one == again
    assert (one[0].kind, one[0].name != two[0].name) == ("questions", True)


@pytest.mark.parametrize("code", sorted(events.RETRACTED))
def test_a_retraction_is_told_once_for_an_item_whoever_finds_it(code: str) -> None:
    (found,) = of(line(1, "created", code))
    (again,) = of(line(7, "left", code, code))
    seen = SeenLine("ABCD2345", TITLE, {}, (Problem(code, "", None),), ours=True)
    (later,) = events.happened(replace(RUN, refreshed=1, seen=(seen,)))
    assert found.kind == "retraction"
    assert found.name == again.name == later.name
    assert "zotdrop show ABCD2345" in found.text


def test_no_event_tells_a_title() -> None:
    told = of(line(1, "asked", "retracted"), line(2, "unreadable"))
    assert len(told) == 3
    assert TITLE not in repr(told)


def test_a_service_is_away_or_answers_and_one_that_was_not_asked_says_nothing() -> None:
    found = signs(
        replace(RUN, away={"crossref": "crossref did not answer", "pubmed": "at night"}, deferred=("pubmed",))
    )
    assert found["service:crossref"].on
    assert found["service:crossref"].needed == 3
    assert "service:pubmed" not in found
    assert not found["service:zotero"].on
    assert not signs(RUN)["service:crossref"].on


@pytest.mark.parametrize(("code", "on", "needed"), [(0, False, 1), (8, True, 1), (1, True, 1), (7, True, 3)])
def test_a_run_that_fails_as_a_whole_is_told_unless_it_passes_by_itself(code: int, on: bool, needed: int) -> None:
    sign = signs(replace(RUN, failure="it broke" if code else "", failure_code=code))["run:main"]
    assert (sign.on, sign.needed) == (on, needed)


@pytest.mark.parametrize("code", [3, 4, 130])
def test_a_refusal_an_outage_and_a_stop_say_neither_that_runs_fail_nor_that_they_do_not(code: int) -> None:
    assert "run:main" not in signs(replace(RUN, failure="it broke", failure_code=code))


def test_a_run_that_could_not_begin_is_told_too() -> None:
    (full,) = events.raised("x", StateFault("the disk is full"), after=3)
    (locked,) = events.raised("x", Locked("another run"), after=3)
    assert (full.on, full.needed, locked.needed) == (True, 1, 3)
    assert list(events.raised("x", Outage("away"), after=3)) == []


def test_a_library_is_stopped_or_not() -> None:
    one, two = events.stops(["a", "b"], {"b": "no right"})
    assert (one.on, two.on, two.text) == (False, True, "library b: no right")


def test_the_disk_is_low_below_what_the_config_says() -> None:
    assert events.disk(499, 500).on
    assert not events.disk(500, 500).on
