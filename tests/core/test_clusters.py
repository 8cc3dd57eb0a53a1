"""Clusters never hold two works, whatever the order; what is doubtful is asked once."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.core import clusters as module
from sync.core.clusters import CLUSTER, CROWD, block_keys, clusters, groups, identifier_keys
from sync.core.match import compare
from sync.core.record import Record
from sync.core.sketch import Sketch, sketch
from sync.core.verdicts import Match
from tests.core.test_match import KELP, paper, placed, sketches


def survivors(found: module.Clustered[int]) -> dict[int, int]:
    return {key: survivor for key, (survivor, _) in found.followers.items()}


def test_the_earliest_of_a_cluster_survives_and_each_other_says_why() -> None:
    known = {
        1: paper(pmid="5"),
        2: paper(doi="", pmid="5"),
        3: paper(),
        4: paper(title="sleep in shift workers a cohort"),
    }
    found = clusters(known, groups(known))
    assert survivors(found) == {2: 1, 3: 1}
    assert all(reasons for _, reasons in found.followers.values())


def test_a_doubtful_pair_is_a_question_about_the_later_one() -> None:
    known = {1: placed(), 2: placed(pages="3-9"), 3: placed(publicationTitle="J Appl Tidal Biol")}
    found = clusters(known, groups(known))
    assert survivors(found) == {3: 1}
    assert {key: (other, why[-1]) for key, (other, why) in found.questions.items()} == {2: (1, "page-differs")}


def test_a_record_that_has_a_twin_is_no_question() -> None:
    known = {1: placed(), 2: placed(pages="3-9"), 3: placed(pages="3-9", issue="")}
    found = clusters(known, groups(known))
    assert survivors(found) == {3: 2}
    assert found.questions == {}


def test_an_erratum_is_not_drawn_in_by_a_record_between() -> None:
    known = {
        1: placed(DOI="10.1/x"),
        2: placed(title=f"Erratum: {KELP}", DOI="10.1/x"),
        3: placed(title=f"{KELP} erratum", DOI="10.1/x"),
    }
    assert survivors(clusters(known, groups(known))) == {3: 2}


def test_a_record_between_two_that_speak_against_each_other_joins_one_of_them() -> None:
    known = {1: placed(DOI="10.1/x"), 2: placed(pages="", issue=""), 3: placed(DOI="10.1/y", pages="3-9", issue="")}
    assert survivors(clusters(known, groups(known))) == {2: 1}


def test_the_strongest_link_goes_first() -> None:
    known = {
        1: placed(DOI="10.1/x", pages="", issue=""),
        2: placed(),
        3: placed(DOI="10.1/y", publicationTitle="J Appl Tidal Biol"),
    }
    assert survivors(clusters(known, groups(known))) == {3: 2}


def test_the_order_of_groups_does_not_matter() -> None:
    known = {n: paper(pmid=str(n % 3)) if n % 2 else paper(doi="", pmid=str(n % 3)) for n in range(9)}
    grouped = [[n for n in range(9) if n % 2], *([n for n in range(9) if n % 3 == rest] for rest in range(3))]
    expected = survivors(clusters(known, grouped))
    for order in itertools.permutations(grouped):
        assert survivors(clusters(known, [list(reversed(group)) for group in order])) == expected


def test_a_large_block_of_one_title_costs_few_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(one: Sketch, other: Sketch, **how: bool) -> Match:
        nonlocal calls
        calls += 1
        return compare(one, other, **how)

    monkeypatch.setattr(module, "compare", counted)
    known = {number: paper() for number in range(10 * CROWD)}
    found = clusters(known, groups(known))
    assert len(found.followers) == CLUSTER - 1
    assert calls < 10 * CROWD * CLUSTER


@given(st.lists(st.frozensets(st.integers(0, 5), max_size=3), max_size=25), st.integers(2, 6), st.randoms())
def test_every_pair_that_shares_a_block_is_compared_once_and_of_a_crowd_each_with_the_first_of_its_title(
    blocks: list[frozenset[int]], crowd: int, random: Random
) -> None:
    titles = [random.choice("ab") * 40 for _ in blocks]
    known = {number: Sketch(title=title) for number, title in enumerate(titles)}
    grouped = [[n for n, mine in enumerate(blocks) if block in mine] for block in range(6)]
    wanted = set()
    for group in grouped:
        parts = [group] if len(group) <= crowd else [[n for n in group if titles[n][0] == letter] for letter in "ab"]
        for part in parts:
            pairs = itertools.combinations(part, 2)
            wanted |= set(pairs) if len(part) <= crowd else {(part[0], other) for other in part[1:]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CROWD", crowd)
        found = list(
            module._pairs(known, [random.sample(group, len(group)) for group in grouped], {n: n for n in known})
        )
    assert found == sorted(wanted)


def test_records_meet_under_identifiers_titles_places_and_people() -> None:
    one = placed(DOI="10.1000/ABC", PMID="12")
    assert block_keys(one) >= {
        "doi:10.1000/abc",
        "pmid:12",
        "head:kelpforestsofthenorthe",
        "place:117|8|2020",
        "page:117|berg",
    }
    assert block_keys(sketch(Record("book"))) == frozenset()
    assert identifier_keys(Record("book", identifiers={"DOI": "10.1000/ABC", "PMID": "12"})) == {
        "doi:10.1000/abc",
        "pmid:12",
    }
    assert identifier_keys(Record("book")) == frozenset()


@pytest.mark.parametrize(
    "other",
    [
        placed(title=f"The {KELP}"),
        placed(title=KELP[:30], volume="", pages=""),
        placed(title="Other words altogether for it", publicationTitle=""),
        placed(title="Kelp forest of the northern coast and urchins", volume="", pages="", date="2020"),
    ],
)  # fmt: skip
def test_twins_that_are_told_otherwise_still_meet(other: Sketch) -> None:
    assert block_keys(placed()) & block_keys(other)


def test_the_order_of_arrival_does_not_change_who_is_together() -> None:
    met: Counter[int] = Counter()

    @settings(max_examples=300)
    @given(st.lists(sketches(), min_size=2, max_size=8), st.randoms())
    def holds(records: list[Record], random: Random) -> None:
        known = dict(enumerate(map(sketch, records)))
        order = random.sample(sorted(known), len(known))
        shuffled = {place: known[number] for place, number in enumerate(order)}
        one, other = clusters(known, groups(known)), clusters(shuffled, groups(shuffled))
        together = {frozenset({key, survivor}) for key, (survivor, _) in one.followers.items()}
        assert all(known[key].title for key in one.followers)
        assert _parts(known, survivors(one)) == _parts(
            {n: known[n] for n in known}, {order[k]: order[s] for k, s in survivors(other).items()}
        )
        met[len(together)] += 1

    holds()
    assert sum(count for number, count in met.items() if number) > 30


def test_of_two_that_speak_against_each_other_the_same_one_gets_the_third_in_every_order() -> None:
    three = {"a": paper(doi="10.1/a", pmid="7"), "b": paper(doi="10.1/b", pmid="7"), "c": paper(doi="", pmid="7")}
    together = set()
    for order in itertools.permutations(three):
        known = {place: three[name] for place, name in enumerate(order)}
        (joined,) = clusters(known, groups(known)).followers.items()
        together.add(frozenset(order[place] for place in (joined[0], joined[1][0])))
    assert together == {frozenset("ac")}


def _parts(known: dict[int, Sketch], followers: dict[int, int]) -> set[frozenset[int]]:
    """The clusters as sets of records that cannot be told apart otherwise."""
    parts: dict[int, set[int]] = {}
    for key in known:
        parts.setdefault(followers.get(key, key), set()).add(key)
    return {frozenset(part) for part in parts.values()}


def test_a_record_that_says_less_does_not_join_two_that_speak_against_each_other() -> None:
    first, other = placed(pages="10-19", issue="1"), placed(pages="210-215", issue="4")
    bridge = placed(pages="", issue="")
    found = clusters({1: first, 2: other, 3: bridge}, groups({1: first, 2: other, 3: bridge}))
    assert {1, 2} - found.followers.keys() == {1, 2}


def test_what_a_full_cluster_does_not_take_in_is_asked() -> None:
    alike = dict.fromkeys(range(CLUSTER + 5), placed())
    found = clusters(alike, groups(alike))
    assert len(found.followers) == CLUSTER - 1
    assert len(found.questions) == 5
    assert {why[-1] for _, why in found.questions.values()} == {"cluster-full"}
