"""The evidence that a person is shown: parts that both records have, with their weights; symmetric."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync.core.evidence import Evidence, evidence, weight
from sync.core.record import Creator, Record
from sync.core.sketch import Sketch, sketch


def work(*people: str, title: str = "Kelp forests of the northern coast", doi: str = "", **fields: str) -> Sketch:
    creators = tuple(Creator("author", last=name, first="A.") for name in people or ("Berg",))
    identifiers = {"DOI": doi} if doi else {}
    return sketch(Record("journalArticle", {"title": title, **fields}, creators=creators, identifiers=identifiers))


def said(one: Sketch, other: Sketch) -> dict[str, str]:
    return {part.part: part.says for part in evidence(one, other)}


def test_every_part_that_both_have_says_something_and_no_other() -> None:
    one = work("Berg", "Li", date="2020", volume="8", pages="117-124", publicationTitle="Journal of Tides")
    other = work("Berg", "Li", date="2021", volume="8", pages="317-324", publicationTitle="Journal of Tides", issue="2")
    assert said(one, other) == {
        "title": "equal",
        "people": "agree",
        "journal": "agree",
        "volume": "agree",
        "page": "differ",
        "year": "one apart",
    }


def test_the_heaviest_stands_first_and_signs_tell_for_from_against() -> None:
    parts = evidence(work(doi="10.5555/a", volume="1"), work(doi="10.5555/b", volume="1"))
    assert parts[0] == Evidence("doi", "differ", -7.2)
    assert [abs(part.weight) for part in parts] == sorted((abs(part.weight) for part in parts), reverse=True)
    assert {part.part for part in parts if part.weight > 0} == {"title", "people", "volume"}


@pytest.mark.parametrize(
    ("title", "says"),
    [("Kelp forests of the northern coast", "equal"), ("Urchins of the southern sea beds", "unlike")],
)
def test_titles_are_told_by_how_alike_they_are(title: str, says: str) -> None:
    assert said(work(), work(title=title))["title"] == says


def test_numbers_of_titles_that_differ_speak_against() -> None:
    one, other = work(title="Kelp forests of the coast: part 1"), work(title="Kelp forests of the coast: part 2")
    assert said(one, other)["numbers in the titles"] == "differ"
    assert "numbers in the titles" not in said(one, one)


WORKS = st.builds(
    work,
    st.sampled_from(["Berg", "Li", "Moss"]),
    title=st.sampled_from(["Kelp forests of the northern coast", "Kelp forests of the coast, part 2", "Sea beds"]),
    doi=st.sampled_from(["", "10.5555/a", "10.5555/b"]),
    volume=st.sampled_from(["", "1", "2"]),
    date=st.sampled_from(["", "2019", "2020", "2024"]),
)


@given(WORKS, WORKS)
def test_evidence_is_symmetric(one: Sketch, other: Sketch) -> None:
    event(f"against: {weight(evidence(one, other)) < 0}")
    assert evidence(one, other) == evidence(other, one)
