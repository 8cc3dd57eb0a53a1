"""One event is one notice, however many tell of it and in whatever order."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.core.notices import about, identities, joined, note, problems, tags
from sync.core.record import Notice

FULL = Notice("retraction", "10.1/r", "7", "2019-03-04", "Ann. 2019")


@pytest.mark.parametrize(
    "told",
    [
        [FULL, Notice("retraction", doi="10.1/r", date="2020")],
        [FULL, Notice("retraction", pmid="7")],
        [FULL, Notice("retraction")],
        [Notice("retraction", "10.1/r", date="2019-03-04"), Notice("retraction", pmid="7", said="Ann. 2019")],
        [Notice("retraction", "10.1/r", date="2019-03-04"), Notice("retraction", pmid="7", said="Ann. 2019"), FULL],
        [Notice("retraction"), FULL, FULL],
    ],
)
def test_one_event_told_twice_is_one_notice(told: list[Notice]) -> None:
    assert joined(told) == (FULL,)
    assert joined(told[::-1]) == (FULL,)


@pytest.mark.parametrize(
    "told",
    [
        [Notice("correction", "10.1/a"), Notice("correction", "10.1/b")],
        [Notice("retraction", "10.1/a"), Notice("correction", "10.1/a")],
        [Notice("correction", pmid="7"), Notice("correction", pmid="8")],
        [Notice("correction", "10.1/a"), Notice("correction", "10.1/b"), Notice("correction", pmid="8")],
    ],
)
def test_different_events_stay_apart_the_gravest_first(told: list[Notice]) -> None:
    assert joined(told[::-1]) == tuple(told)


NOTICES = st.lists(
    st.builds(
        Notice,
        st.sampled_from(["retraction", "correction", "new-version"]),
        st.sampled_from(["", "10.1/a", "10.1/b"]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["", "2019", "2020"]),
        st.sampled_from(["", "x", "yy"]),
    ),
    max_size=6,
)


def test_joining_does_not_depend_on_order_and_joining_again_changes_nothing() -> None:
    met: Counter[int] = Counter()

    @settings(max_examples=500)
    @given(NOTICES, st.randoms())
    def holds(told: list[Notice], random: Random) -> None:
        once = joined(told)
        assert joined(random.sample(told, len(told))) == once
        assert joined(once) == once
        assert joined([*once, *told]) == once
        assert {n.doi for n in told} - {""} == {n.doi for n in once} - {""}
        assert {n.pmid for n in told} - {""} == {n.pmid for n in once} - {""}
        met[len(told) - len(once)] += 1

    holds()
    assert sum(met[number] for number in met if number) > 100


def test_tags_are_those_of_grave_notices_once_each() -> None:
    told = [Notice("correction", "10.1/a"), Notice("correction", "10.1/b"), Notice("new-version", "10.1/c"), FULL]
    assert tags(told) == ("Retracted", "Corrected")
    assert tags([Notice("partial-retraction"), Notice("concern")]) == ("Partly retracted", "Expression of concern")
    assert tags([Notice("retraction-of", "10.1/x")]) == ()


def test_a_report_tells_each_kind_once_with_its_identifiers() -> None:
    told = [
        FULL,
        Notice("correction", "10.1/a"),
        Notice("correction", pmid="8"),
        Notice("correction"),
        Notice("preprint", "10.1/p"),
    ]
    assert [(problem.code, problem.message) for problem in problems(told)] == [
        ("retracted", "the work was retracted: DOI 10.1/r (2019-03-04)"),
        ("corrected", "the work was corrected: DOI 10.1/a; PMID 8"),
    ]
    assert [problem.message for problem in problems([Notice("retraction", date="2019")])] == [
        "the work was retracted: 2019"
    ]


def test_a_note_links_to_the_notice_and_is_safe_to_show() -> None:
    shown = note(Notice("concern", '10.1/<b>"x', said="Ann <script>alert(1)</script>"))
    assert "has an expression of concern" in shown
    assert "<script>" not in shown
    assert '<b>"' not in shown
    assert "https://pubmed.ncbi.nlm.nih.gov/8/" in note(Notice("correction", pmid="8", date="2020"))
    assert "(2020)" in note(Notice("correction", pmid="8", date="2020"))
    assert "<a" not in note(Notice("retraction"))


def test_an_event_is_known_by_each_of_its_identifiers() -> None:
    assert identities(FULL) == ("retraction:10.1/r", "retraction:7")
    assert identities(Notice("concern")) == ("concern",)


@pytest.mark.parametrize(
    ("kind", "of"),
    [("retraction", "retraction-of"), ("partial-retraction", "retraction-of"), ("concern", "concern-of"), ("correction", "correction-of"), ("new-version", "")],
)  # fmt: skip
def test_a_work_may_be_a_notice_itself(kind: str, of: str) -> None:
    assert about(kind) == of
