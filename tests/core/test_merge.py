"""Only what is empty is filled or provably bettered, in an order that a table gives, and every change says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.core.merge import Change, Lost, Policy, absorb, fill
from sync.core.notices import joined
from sync.core.record import Attachment, Candidate, Creator, Notice, Provenance, Record

CROSSREF, PUBMED, DROP = (Provenance(name, "doi", "2026-11-23T08:00:00Z") for name in ("crossref", "pubmed", "drop"))


def article(**fields: str) -> Record:
    return Record("journalArticle", fields={"title": "Kelp", **fields})


def test_an_empty_field_is_filled_and_a_given_one_is_kept() -> None:
    merged = fill(article(volume="8"), [Candidate(article(volume="9", issue="2"), CROSSREF)])
    assert dict(merged.record.fields) == {"title": "Kelp", "volume": "8", "issue": "2"}
    assert merged.changes == (Change("issue", "", "2", CROSSREF),)


def test_each_field_is_filled_by_the_source_that_knows_it_best() -> None:
    offers = [
        Candidate(article(issue="1", abstractNote="All of it", series="P"), PUBMED),
        Candidate(article(issue="2", abstractNote="Part", pages="5", series="C"), CROSSREF),
    ]
    for order in (offers, offers[::-1]):
        merged = fill(article(), order)
        assert dict(merged.record.fields) == {
            "title": "Kelp", "issue": "2", "abstractNote": "All of it", "pages": "5", "series": "C",
        }  # fmt: skip
        assert {change.field: change.because.source for change in merged.changes} == {
            "issue": "crossref", "abstractNote": "pubmed", "pages": "crossref", "series": "crossref",
        }  # fmt: skip
        assert [(lost.field, lost.value, lost.because.source) for lost in merged.lost] == [
            ("abstractNote", "Part", "crossref"),
            ("issue", "1", "pubmed"),
            ("series", "P", "pubmed"),
        ]


def test_fields_of_no_table_are_filled_in_the_order_of_trust() -> None:
    offers = [Candidate(article(shortTitle="C"), CROSSREF), Candidate(article(shortTitle="P"), PUBMED)]
    assert fill(article(), offers).record.fields["shortTitle"] == "P"
    trusting = Policy(order=("crossref", "pubmed"))
    assert fill(article(), offers, trusting).record.fields["shortTitle"] == "C"


@pytest.mark.parametrize(
    ("rule", "held", "expected"),
    [
        ("keep", "", ""),
        ("keep", "2020", "2020"),
        ("fill", "", "2020-05-01"),
        ("fill", "2019", "2019"),
        ("fill", "2020", "2020-05-01"),
        ("fill pubmed", "", "2020-04"),
        ("prefer pubmed", "2019", "2020-04"),
        ("prefer pubmed", "", "2020-04"),
        ("prefer crossref", "2019", "2020-05-01"),
        ("prefer elsewhere", "2019", "2019"),
        ("prefer elsewhere", "", "2020-05-01"),
    ],
)
def test_a_rule_says_what_may_become_of_a_field(rule: str, held: str, expected: str) -> None:
    offers = [Candidate(article(date="2020-04"), PUBMED), Candidate(article(date="2020-05-01"), CROSSREF)]
    for policy in (Policy(fields={"date": rule}), Policy(default=rule)):
        assert fill(article(date=held), offers, policy).record.fields.get("date", "") == expected


def test_a_rule_for_a_base_field_holds_in_every_type() -> None:
    chapter = Record("bookSection", fields={"title": "Kelp", "bookTitle": "Old"})
    offer = [Candidate(article(publicationTitle="New"), CROSSREF)]
    assert (
        fill(chapter, offer, Policy(fields={"publicationTitle": "prefer crossref"})).record.fields["bookTitle"] == "New"
    )
    assert fill(chapter, offer, Policy(fields={"bookTitle": "prefer crossref"})).record.fields["bookTitle"] == "New"


def test_creators_and_tags_have_rules_too() -> None:
    mine = Record("journalArticle", creators=(Creator("author", "Own", "A"),), tags=("own",))
    offers = [
        Candidate(Record("journalArticle", creators=(Creator("author", "Their", "B"),), tags=("t",)), PUBMED),
        Candidate(Record("journalArticle", creators=(Creator("author", "Ours", "C"),), tags=("c",)), CROSSREF),
    ]
    preferred = fill(mine, offers, Policy(default="prefer crossref"))
    assert ([c.last for c in preferred.record.creators], preferred.record.tags) == (["Ours"], ("c",))
    assert {change.field: (change.old, change.new) for change in preferred.changes} == {
        "creators": ("Own, A", "Ours, C"), "tags": ("own", "c"),
    }  # fmt: skip
    kept = fill(Record("journalArticle"), offers, Policy(default="keep"))
    assert (kept.record.creators, kept.record.tags, kept.changes) == ((), (), ())
    assert fill(mine, offers[:1], Policy(fields={"tags": "prefer crossref"})).record.tags == ("own",)
    assert fill(Record("journalArticle"), offers[:1], Policy(fields={"tags": "prefer crossref"})).record.tags == ("t",)


def test_a_better_value_says_why_it_is_better() -> None:
    mine = Record(
        "journalArticle", fields={"publicationTitle": "J Appl Tidal Biol"}, creators=(Creator("author", "Li", "J"),)
    )
    offer = Record(
        "journalArticle",
        fields={"publicationTitle": "Journal of Applied Tidal Biology"},
        creators=(Creator("author", "Li", "Jian"),),
    )
    merged = fill(mine, [Candidate(offer, PUBMED)])
    assert [(c.field, c.old, c.new, c.because.how) for c in merged.changes] == [
        ("journalAbbreviation", "", "J Appl Tidal Biol", "publicationTitle"),
        ("publicationTitle", "J Appl Tidal Biol", "Journal of Applied Tidal Biology", "doi, full journal title"),
        ("creators", "Li, J", "Li, Jian", "doi, fuller names"),
    ]
    assert merged.lost == ()


def test_creators_that_lost_are_told() -> None:
    mine = Record("journalArticle", creators=(Creator("author", "Li", "J"),))
    other = Record("journalArticle", creators=(Creator("author", "Wu", "B"), Creator("author", "Li", "J")))
    merged = fill(mine, [Candidate(other, PUBMED)])
    assert merged.record == mine
    assert merged.lost == (Lost("creators", "Wu, B; Li, J", PUBMED),)


def test_notices_of_all_accounts_are_joined() -> None:
    mine = replace(article(), notices=(Notice("correction", doi="10.1/c"),))
    offers = [
        Candidate(replace(article(), notices=(Notice("retraction", pmid="7", said="S. doi: 10.1/r"),)), PUBMED),
        Candidate(replace(article(), notices=(Notice("retraction", doi="10.1/r", pmid="7", date="2021"),)), CROSSREF),
    ]
    whole = (Notice("retraction", "10.1/r", "7", "2021", "S. doi: 10.1/r"), Notice("correction", doi="10.1/c"))
    assert fill(mine, offers).record.notices == whole
    assert absorb(mine, [offer.record for offer in offers], DROP).record.notices == whole


VALUES = {
    "date": ("2020", "2020-05", "2020-05-01", "2020-06", "2021"),
    "publicationTitle": ("J Appl Biol", "Journal of Applied Biology", "J Appl Biology", "Nature", "KELP NEWS"),
    "title": ("KELP IN THE SEA", "Kelp in the sea", "Kelp in the Sea", "Other"),
    "pages": ("5", "5-9", "5-12", "e5"),
    "abstractNote": ("[Abstract]", "x" * 90, "x" * 90 + " and y", "No abstract available", "Short"),
    "volume": ("1", "2"),
}
PEOPLE = st.lists(
    st.builds(
        Creator,
        st.just("author"),
        last=st.sampled_from(["Müller", "Muller", "MULLER", "Li"]),
        first=st.sampled_from(["J", "Jan", "Jane", "J P", "JP", "Jan Peter", ""]),
    ),
    max_size=3,
).map(tuple)
NOTICES = st.lists(
    st.builds(Notice, st.sampled_from(["retraction", "correction"]), st.sampled_from(["", "10.1/a", "10.1/b"]), st.sampled_from(["", "1", "2"])),
    max_size=3,
)  # fmt: skip


@st.composite
def accounts(draw: st.DrawFn) -> Record:
    kind = draw(st.sampled_from(["journalArticle", "journalArticle", "magazineArticle"]))
    return Record(
        kind,
        fields={name: draw(st.sampled_from(("", *values))) for name, values in VALUES.items()},
        creators=draw(PEOPLE),
        tags=tuple(sorted(draw(st.sets(st.sampled_from(["a", "b"]))))),
        identifiers={"PMID": draw(st.sampled_from(["", "7", "8"]))},
        notices=joined(draw(NOTICES)),
    )


POLICIES = st.builds(
    Policy,
    st.sampled_from(["fill", "fill", "fill", "keep", "prefer pubmed", "prefer crossref", "fill pubmed"]),
    st.dictionaries(st.sampled_from([*VALUES, "creators", "tags"]), st.sampled_from(["fill", "keep", "prefer crossref"]), max_size=2),
)  # fmt: skip


def test_merging_twice_changes_nothing_and_order_does_not_matter() -> None:
    met: Counter[str] = Counter()

    @settings(max_examples=1000)
    @given(
        accounts(),
        st.lists(st.tuples(accounts(), st.sampled_from([PUBMED, CROSSREF])), max_size=4),
        POLICIES,
        st.randoms(),
    )
    def holds(record: Record, told: list[tuple[Record, Provenance]], policy: Policy, random: Random) -> None:
        offers = [Candidate(account, because) for account, because in told]
        once = fill(record, offers, policy)
        shuffled = random.sample(offers, len(offers))
        assert fill(record, shuffled, policy) == once
        again = fill(once.record, shuffled, policy)
        assert again.record == once.record
        assert again.changes == ()
        assert all(change.old != change.new for change in once.changes)
        if policy == Policy():
            met["replaced"] += any(change.old for change in once.changes)
        met["changed"] += bool(once.changes)
        met["lost"] += bool(once.lost)

    holds()
    assert met["changed"] > 100
    assert met["lost"] > 50


def test_filling_twice_changes_nothing() -> None:
    offers = [
        Candidate(Record("journalArticle", fields={"issue": "2"}, tags=("a",), identifiers={"PMID": "7"}), PUBMED)
    ]
    once = fill(article(), offers)
    again = fill(once.record, offers)
    assert again.record == once.record
    assert again.changes == ()


def test_values_move_through_base_fields_between_types() -> None:
    chapter = Record("bookSection", fields={"title": "Kelp"})
    merged = fill(chapter, [Candidate(article(publicationTitle="Seas", ISSN="1234-5679"), CROSSREF)])
    assert merged.record.fields["bookTitle"] == "Seas"
    assert "ISSN" not in merged.record.fields


def test_facts_about_a_copy_do_not_travel() -> None:
    merged = fill(
        article(), [Candidate(article(libraryCatalog="X", extra="y", accessDate="2020-01-01", rights="z"), CROSSREF)]
    )
    assert merged.changes == ()


def test_creators_are_filled_only_where_there_are_none_and_in_roles_the_type_has() -> None:
    people = (Creator("author", "Berg", "A."), Creator("editor", name="A Group"), Creator("translator", "Q", ""))
    source = Record("book", fields={"title": "Kelp"}, creators=people)
    film = fill(Record("film", fields={"title": "Kelp"}), [Candidate(source, CROSSREF)])
    assert [(c.creator_type, c.last) for c in film.record.creators] == [("director", "Berg")]
    kept = fill(Record("book", creators=(Creator("author", "Own", ""),)), [Candidate(source, CROSSREF)])
    assert [c.last for c in kept.record.creators] == ["Own"]
    (change,) = [c for c in fill(Record("book"), [Candidate(source, CROSSREF)]).changes if c.field == "creators"]
    assert change.new == "Berg, A.; A Group; Q"


def test_an_identifier_without_a_field_is_kept_and_has_its_because() -> None:
    merged = fill(Record("book"), [Candidate(Record("journalArticle", identifiers={"PMID": "7"}), PUBMED)])
    assert merged.record.identifiers["PMID"] == "7"
    assert [change.field for change in merged.changes] == ["PMID"]
    field = fill(article(), [Candidate(Record("journalArticle", identifiers={"PMID": "7"}), PUBMED)])
    assert field.record.fields["PMID"] == "7"
    assert [change.field for change in field.changes] == ["PMID"]


def test_another_identifier_is_never_put_over_the_records_own() -> None:
    mine = Record("journalArticle", identifiers={"DOI": "10.1/a"})
    merged = fill(
        mine, [Candidate(Record("journalArticle", fields={"DOI": "10.1/b"}, identifiers={"DOI": "10.1/b"}), CROSSREF)]
    )
    assert merged.record.identifiers["DOI"] == "10.1/a"
    assert merged.record.fields.get("DOI", "") != "10.1/b"


def test_tags_of_a_source_come_only_where_there_are_none() -> None:
    tagged = Record("journalArticle", tags=("mesh",))
    assert fill(article(), [Candidate(tagged, PUBMED)]).record.tags == ("mesh",)
    own = Record("journalArticle", tags=("own",))
    assert fill(own, [Candidate(tagged, PUBMED)]).record.tags == ("own",)


def test_a_cluster_joins_keywords_notes_and_what_has_no_place() -> None:
    one = Record("journalArticle", fields={"title": "Kelp"}, tags=("a",), notes=("<p>1</p>",), unmapped=(("X1", "v"),))
    other = Record(
        "journalArticle",
        fields={"title": "Kelp!", "volume": "3"},
        tags=("a", "b"),
        notes=("<p>2</p>",),
        attachments=(Attachment("PDF", "x.pdf"),),
        unmapped=(("X1", "v"), ("X2", "w")),
    )
    merged = absorb(one, [other], DROP)
    record = merged.record
    assert (record.title, record.fields["volume"]) == ("Kelp", "3")
    assert (record.tags, record.notes) == (("a", "b"), ("<p>1</p>", "<p>2</p>"))
    assert (len(record.attachments), record.unmapped) == (1, (("X1", "v"), ("X2", "w")))
    assert merged.changes == (Change("volume", "", "3", DROP),)
