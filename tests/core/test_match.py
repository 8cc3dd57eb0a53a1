"""Same work or not, with reasons; and clusters that never hold two works."""

from __future__ import annotations

import itertools

import pytest

from sync.core.match import CLUSTER, Match, Sketch, Verdict, agrees, block_keys, clusters, compare, contradicts, sketch
from sync.core.record import Creator, Record

KELP = "kelp forests of the northern coast and their urchins"


def paper(title: str = KELP, doi: str = "10.1/x", pmid: str = "", year: str = "2020", author: str = "berg") -> Sketch:
    return Sketch(doi, pmid, title, year, author)


@pytest.mark.parametrize(
    ("one", "other", "verdict", "reason"),
    [
        (paper(), paper(), Verdict.SAME, "title"),
        (paper(doi="", pmid="7"), paper(doi="", pmid="7"), Verdict.SAME, "pmid"),
        (paper(), paper(title=KELP.replace("forests", "forest")), Verdict.SAME, "title-alike"),
        (paper(), paper(title=KELP[:36]), Verdict.SAME, "title-cut"),
        (paper(), paper(title="sleep in shift workers a cohort"), Verdict.DIFFERENT, "title-differs"),
        (paper(), paper(title=""), Verdict.UNSURE, "title-missing"),
        (paper(), paper(title=f"erratum {KELP}"), Verdict.DIFFERENT, "notice"),
        (paper(), paper(title=f"reply to {KELP}"), Verdict.DIFFERENT, "notice"),
        (paper(title=f"{KELP} part 1"), paper(title=f"{KELP} part 2"), Verdict.UNSURE, "numbers-differ"),
        (paper(title=f"{KELP} part i"), paper(title=f"{KELP} part ii"), Verdict.UNSURE, "numbers-differ"),
        (
            paper(title="kelp forests in the north sea"),
            paper(title="kelp meadows in a warm bay"),
            Verdict.UNSURE,
            "title-unlike",
        ),
        (paper(pmid="1"), paper(pmid="2"), Verdict.UNSURE, "identifiers-disagree"),
        (paper(pmid="1"), paper(doi="10.1/y", pmid="1"), Verdict.UNSURE, "identifiers-disagree"),
        (paper(), paper(doi="10.1/y"), Verdict.DIFFERENT, "no-identifier"),
        (paper(doi=""), paper(doi=""), Verdict.DIFFERENT, "no-identifier"),
    ],
)
def test_a_verdict_has_its_reason_and_is_the_same_from_both_sides(
    one: Sketch, other: Sketch, verdict: Verdict, reason: str
) -> None:
    found = compare(one, other)
    assert found.verdict is verdict
    assert reason in found.reasons
    assert compare(other, one).verdict is verdict


def test_a_title_that_is_cut_before_its_number_is_not_taken_for_the_other_part() -> None:
    assert compare(paper(title=KELP), paper(title=f"{KELP} part 2")).verdict is not Verdict.SAME


@pytest.mark.parametrize(
    ("record", "answer", "why"),
    [
        (paper(), paper(), ""),
        (paper(title=""), paper(), ""),
        (paper(), paper(title="sleep in shift workers a cohort"), "title-differs"),
        (paper(title=""), paper(title="", author="smith"), "author-differs"),
        (paper(title="", author=""), paper(year="2010"), "year-differs"),
        (paper(title="", author="", year="2021"), paper(), ""),
        (paper(title="", author="", year=""), paper(), ""),
    ],
)
def test_an_answer_counts_unless_something_speaks_against_it(record: Sketch, answer: Sketch, why: str) -> None:
    assert contradicts(record, answer) == why


def test_a_record_is_sketched_and_blocked_by_its_identifiers() -> None:
    record = Record(
        "journalArticle",
        fields={"title": "Kelp <i>Forests</i>: Áspects", "date": "2019-05"},
        creators=(Creator("author", "Müller", "A."),),
        identifiers={"DOI": "10.1000/ABC", "PMID": "12"},
    )
    assert sketch(record) == Sketch("10.1000/abc", "12", "kelp forests aspects", "2019", "muller")
    assert block_keys(record) == {"doi:10.1000/abc", "pmid:12"}
    assert sketch(Record("book")) == Sketch("", "", "", "", "")
    assert block_keys(Record("book")) == frozenset()


def test_the_earliest_of_a_cluster_survives_and_each_other_says_why() -> None:
    sketches = {
        1: paper(pmid="5"),
        2: paper(doi="", pmid="5"),
        3: paper(),
        4: paper(title="sleep in shift workers a cohort"),
    }
    found = clusters(sketches, [[1, 3, 4], [1, 2]])
    assert {key: survivor for key, (survivor, _) in found.items()} == {2: 1, 3: 1}
    assert all(reasons for _, reasons in found.values())


def test_the_order_of_groups_does_not_matter() -> None:
    sketches = {
        number: paper(pmid=str(number % 3)) if number % 2 else paper(doi="", pmid=str(number % 3))
        for number in range(9)
    }
    groups = [[n for n in range(9) if n % 2], *([n for n in range(9) if n % 3 == rest] for rest in range(3))]
    expected = {key: survivor for key, (survivor, _) in clusters(sketches, groups).items()}
    for order in itertools.permutations(groups):
        shuffled = [list(reversed(group)) for group in order]
        assert {key: survivor for key, (survivor, _) in clusters(sketches, shuffled).items()} == expected


def test_nobody_joins_a_cluster_with_whose_members_it_is_not_the_same() -> None:
    sketches = {1: paper(pmid="1"), 2: paper(), 3: paper(pmid="2")}
    found = clusters(sketches, [[1, 2, 3]])
    joined = {key: survivor for key, (survivor, _) in found.items()}
    assert joined in ({2: 1}, {3: 2})


def test_a_large_group_of_one_title_is_clustered_up_to_the_cap_with_few_comparisons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sync.core.match as module

    calls = 0
    real = compare

    def counted(one: Sketch, other: Sketch) -> Match:
        nonlocal calls
        calls += 1
        return real(one, other)

    monkeypatch.setattr(module, "compare", counted)
    sketches = {number: paper() for number in range(400)}
    found = clusters(sketches, [list(sketches)])
    assert len(found) == CLUSTER - 1
    assert calls < 400 * CLUSTER


def cited(title: str = KELP, last: str = "Berg", **fields: str) -> Record:
    given = {"date": "2020-05", "volume": "8", "pages": "117-124", **fields}
    people = (Creator("author", last, "A."),) if last else ()
    return Record("journalArticle", fields={"title": title, **given}, creators=people)


@pytest.mark.parametrize(
    ("record", "answer", "agreed"),
    [
        (cited(), cited(), True),
        (cited(pages="117"), cited(volume="9"), True),
        (cited(date="2019"), cited(), True),
        (cited(last=""), cited(), True),
        (cited(last="", volume=""), cited(), False),
        (cited(volume="7", pages="3"), cited(), False),
        (cited(title="sleep in shift workers a cohort"), cited(), False),
        (cited(title=f"Erratum: {KELP}"), cited(), False),
        (cited(title=""), cited(), False),
        (cited(last="Quist", date="2011"), cited(), False),
    ],
)
def test_a_work_found_by_citation_has_to_agree_in_four_ways(record: Record, answer: Record, *, agreed: bool) -> None:
    assert agrees(record, answer) is agreed


@pytest.mark.parametrize(
    ("title", "author", "year", "why"),
    [
        (KELP, "berg", "2020", ""),
        (KELP, "quist", "2020", ""),
        (KELP, "berg", "2011", ""),
        (KELP, "quist", "2011", "author-differs, year-differs"),
        (KELP, "van der berg", "2019", ""),
        ("editorial", "quist", "2020", "author-differs"),
        ("editorial", "berg", "2011", "year-differs"),
        ("editorial", "berg", "2021", ""),
        ("editorial", "", "", ""),
    ],
)
def test_where_titles_agree_author_and_year_may_not_both_disagree(title: str, author: str, year: str, why: str) -> None:
    assert contradicts(paper(title=title), paper(title=title, author=author, year=year)) == why


@pytest.mark.parametrize(
    "mark", ["RETRACTED: ", "Retracted Article: ", "[WITHDRAWN] ", "Article retracted: ", "REMOVED: "]
)
def test_a_work_that_was_taken_back_is_still_the_same_work(mark: str) -> None:
    plain, marked = (sketch(Record("journalArticle", fields={"title": title})) for title in ("Kelp", f"{mark}Kelp"))
    assert contradicts(plain, marked) == ""
    assert contradicts(plain, paper(title="retraction kelp")) == "notice"
