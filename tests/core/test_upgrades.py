"""A value is replaced only by one that says the same and more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.record import Creator
from sync.core.upgrades import better_people, upgrade

LONG = "We asked forty ferry crews how they slept, and measured their blood pressure on every second day of the week"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("publicationTitle", "J Appl Tidal Biol", "Journal of Applied Tidal Biology"),
        ("publicationTitle", "J. Natl. Cancer Inst.", "Journal of the National Cancer Institute"),
        ("publicationTitle", "JMIR Form Res", "JMIR Formative Research"),
        ("publicationTitle", "North J Sleep Work", "Northern Journal of Sleep & Work"),
        ("publicationTitle", "Int J Nurs Stud", "International journal of nursing studies"),
        ("publicationTitle", "Z Stadtluft", "Zeitschrift für Stadtluft"),
        ("date", "2024", "2024-02-19"),
        ("date", "2024-02", "2024-02-19"),
        ("date", "2024", "2024-02"),
        ("abstractNote", "[Abstract]", LONG),
        ("abstractNote", "No abstract available.", LONG),
        ("abstractNote", "Abstract not available for this article", LONG),
        ("abstractNote", f"{LONG[:70]}...", LONG),
        ("abstractNote", f"{LONG[:72]} (ABSTRACT TRUNCATED AT 250 WORDS)", LONG),
        ("abstractNote", LONG, f"{LONG}. They slept badly."),
        ("title", "EFFECTS OF KELP: A TRIAL", "Effects of kelp: a trial"),
        ("pages", "117", "117-124"),
        ("pages", "e50", "e50-e61"),
    ],
)
def test_what_says_the_same_and_more_is_better(name: str, old: str, new: str) -> None:
    assert upgrade(name, old, new)
    assert not upgrade(name, new, old)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("publicationTitle", "Nature", "Nature Medicine"),
        ("publicationTitle", "J Appl Biol", "Journal of Applied Botany and Biology"),
        ("publicationTitle", "Brain", "Science"),
        ("publicationTitle", "Lancet", "The Lancet"),
        ("publicationTitle", "Journal of Biology", "Journal of Botany"),
        ("date", "2023", "2024-02-19"),
        ("date", "Spring 2024", "2024-02-19"),
        ("date", "2024", "2024 Feb"),
        ("abstractNote", "We asked", LONG),
        ("abstractNote", "A summary of somebody's own", LONG),
        ("abstractNote", f"{LONG[:70]} or not...", LONG),
        ("abstractNote", "No abstract available", "[Abstract]"),
        ("abstractNote", LONG, "No abstract available"),
        ("title", "Effects of kelp", "Effects of Kelp"),
        ("title", "KELP", "Sea weed"),
        ("title", "DNA", "DNA"),
        ("pages", "117", "118-124"),
        ("pages", "117-9", "117-119"),
        ("volume", "1", "12"),
        ("ISSN", "", "1234-5679"),
    ],
)
def test_what_says_something_else_is_not(name: str, old: str, new: str) -> None:
    assert upgrade(name, old, new) == ""


def author(last: str, first: str = "") -> Creator:
    return Creator("author", last, first)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([author("Li", "J")], [author("Li", "Jian")], [author("Li", "Jian")]),
        ([author("Li", "J.")], [author("Li", "Jian Q.")], [author("Li", "Jian Q.")]),
        ([author("Smith", "JB")], [author("Smith", "John Ben")], [author("Smith", "John Ben")]),
        ([author("MULLER", "JAN")], [author("Müller", "Jan")], [author("Müller", "Jan")]),
        ([author("Alamanac", "B")], [author("Alamañac", "Blanca")], [author("Alamañac", "Blanca")]),
        (
            [author("Li", "Jian"), author("Wu", "B")],
            [author("Li", "J"), author("Wu", "Bo")],
            [author("Li", "Jian"), author("Wu", "Bo")],
        ),
        ([Creator("author", name="ACME GROUP")], [Creator("author", name="Acme Group")], [Creator("author", name="Acme Group")]),
        (
            [author("Li", "J"), Creator("author", name="et al.")],
            [author("Li", "Jian"), author("Wu", "Bo"), author("Xu", "C")],
            [author("Li", "Jian"), author("Wu", "Bo"), author("Xu", "C")],
        ),
    ],
)  # fmt: skip
def test_the_same_people_in_the_same_order_are_named_more_fully(
    old: list[Creator], new: list[Creator], expected: list[Creator]
) -> None:
    assert better_people(old, new) == tuple(expected)
    assert better_people(tuple(expected), new) == tuple(expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([author("Li", "J")], [author("Li", "Kim")]),
        ([author("Li", "Jane")], [author("Li", "John")]),
        ([author("Li", "J"), author("Wu", "B")], [author("Wu", "Bo"), author("Li", "Jian")]),
        ([author("Li", "J")], [author("Li", "Jian"), author("Wu", "Bo")]),
        ([Creator("editor", "Li", "J")], [author("Li", "Jian")]),
        ([author("Li", "J")], [Creator("author", name="Li, Jian")]),
        ([Creator("author", name="A Group")], [Creator("author", name="B Group")]),
        ([author("Li", "J"), Creator("author", name="et al.")], [author("Wu", "Bo"), author("Li", "Jian")]),
        ([author("Li", "J"), Creator("author", name="et al.")], [author("Li", "Jian")]),
        ([Creator("author", name="et al.")], [author("Li", "Jian")]),
        ([author("Li", "Jian")], [author("Li", "J")]),
        ([], [author("Li", "Jian")]),
    ],
)
def test_other_people_are_left_alone(old: list[Creator], new: list[Creator]) -> None:
    assert better_people(old, new) == tuple(old)


@given(
    st.sampled_from(["publicationTitle", "date", "abstractNote", "title", "pages"]),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_no_two_values_are_each_better_than_the_other(name: str, one: str, other: str) -> None:
    assert not (upgrade(name, one, other) and upgrade(name, other, one))
    assert upgrade(name, one, one) == ""
