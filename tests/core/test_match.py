"""Same work or not, with reasons; the same from both sides, and whatever the spelling."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.core.clusters import block_keys, clusters, groups
from sync.core.identify import agrees, contradicts
from sync.core.match import apart_by_doi, compare
from sync.core.record import Creator, Record
from sync.core.sketch import Sketch, sketch
from sync.core.verdicts import Verdict

KELP = "kelp forests of the northern coast and their urchins"
PEOPLE = ("berg", "li", "santos")


def paper(title: str = KELP, doi: str = "10.1/x", pmid: str = "", year: int = 2020, author: str = "berg") -> Sketch:
    return sketch(
        Record(
            "journalArticle",
            fields={"title": title, "date": str(year) if year else ""},
            creators=(Creator("author", author, "A."),) if author else (),
            identifiers={"DOI": doi, "PMID": pmid},
        )
    )


def placed(title: str = KELP, authors: tuple[str, ...] = PEOPLE, **fields: str) -> Sketch:
    """An article with its whole place, no identifier. Fields are Zotero's; `DOI` and `PMID` are identifiers; `kind` the type."""
    given = {
        "date": "2020",
        "publicationTitle": "Journal of Applied Tidal Biology",
        "volume": "8",
        "issue": "2",
        "pages": "117-124",
        **fields,
    }
    names: dict[str, str] = {name: given.pop(name) for name in ("DOI", "PMID") if name in given}
    kind = given.pop("kind", "journalArticle")
    if kind == "conferencePaper":
        given["proceedingsTitle"] = given.pop("publicationTitle")
    people = tuple(Creator("author", last, "A.") for last in authors)
    return sketch(
        Record(
            kind, fields={"title": title, **{k: v for k, v in given.items() if v}}, creators=people, identifiers=names
        )
    )


COCHRANE = "10.1002/14651858.CD001234"


def book(**fields: str) -> Sketch:
    return sketch(
        Record("book", fields={"title": KELP, "date": "2020", **fields}, creators=(Creator("author", "berg", "A."),))
    )


def chapter(title: str = "What urchins eat", book_title: str = KELP) -> Sketch:
    people = (Creator("author", "li", "B."),)
    return sketch(
        Record("bookSection", fields={"title": title, "bookTitle": book_title, "date": "2020"}, creators=people)
    )


ABSTRACT = "We asked forty ferry crews how they slept, and measured their blood pressure on every second day of the week they were on duty. "
BEGUN_ALIKE = f"{ABSTRACT[:90]}and compared them with those of sixty other people, who had never been on a ferry in all of their lives and slept at home. "
OTHER_ABSTRACT = "In villages without any clinic 1,900 adults were seen once by a travelling team, and nobody had ever taken a tablet there. "


@pytest.mark.parametrize(
    ("one", "other", "verdict", "reason"),
    [
        # the same
        (placed(), placed(), Verdict.SAME, "identical"),
        (placed(DOI="10.1/x"), placed(volume="", issue="", pages="", DOI="10.1/x"), Verdict.SAME, "title"),
        (placed(PMID="7"), placed(PMID="7", date="2019"), Verdict.SAME, "pmid"),
        (placed(publicationTitle="J Appl Tidal Biol"), placed(pages="117-24"), Verdict.SAME, "range-and-title"),
        (placed(title=f"{KELP}."), placed(title=f"[{KELP.title()}] [Review] [33 refs]", pages="117"), Verdict.SAME, "place"),
        (placed(title=KELP[:36]), placed(pages="117-124", issue=""), Verdict.SAME, "place-and-people"),
        (placed(pages="", issue=""), placed(), Verdict.SAME, "journal-and-title"),
        (placed(KELP + ": a qualitative interview study", pages=""), placed(), Verdict.UNSURE, "no-page"),
        (placed(publicationTitle="PLoS ONE.8 (2) (no pagination) 2020", volume=""), placed(publicationTitle="PloS one", pages=""), Verdict.SAME, "journal-and-title"),
        (placed(pages="e50113"), placed(pages="117-124"), Verdict.SAME, "journal-and-title"),
        (placed(pages="117-124"), placed(pages="119-124"), Verdict.SAME, "page-near"),
        (placed(DOI="10.1/x"), placed(DOI="10.1/y"), Verdict.SAME, "all-but-identifier"),
        (placed(title=f"{KELP} at 28 degrees C"), placed(title=f"{KELP} at 28degreeC"), Verdict.SAME, "range-and-title"),
        (placed(title=f"{KELP} via delta1 receptors"), placed(title=f"{KELP} via receptors", volume="8"), Verdict.SAME, "place"),
        (placed(abstractNote=ABSTRACT, publicationTitle="Zeitschrift für Stadtluft"), placed(abstractNote=f"Background: {ABSTRACT}"), Verdict.SAME, "range-and-abstract"),
        (placed(kind="conferencePaper", publicationTitle="ICIS : Transforming Society", volume="", issue="", pages=""), placed(kind="conferencePaper", publicationTitle="International Conference on Information Systems", volume="", issue="", pages="1-15"), Verdict.SAME, "journal-and-title"),
        (placed(authors=()), placed(authors=(), pages=""), Verdict.SAME, "volume-and-title"),
        (placed(abstractNote=ABSTRACT, volume="", pages="3-9"), placed(abstractNote=ABSTRACT), Verdict.SAME, "abstract"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(abstractNote=ABSTRACT), Verdict.SAME, "ahead-of-print"),
        (placed(KELP + ": a qualitative interview study", abstractNote=ABSTRACT), placed(pages="", abstractNote=ABSTRACT), Verdict.SAME, "abstract-and-title"),
        # asked
        (placed(abstractNote=ABSTRACT, pages="3-9"), placed(abstractNote=ABSTRACT), Verdict.UNSURE, "page-differs"),
        (placed(volume="9", pages="3-9", DOI="10.1/x"), placed(DOI="10.1/x"), Verdict.UNSURE, "place-differs"),
        (placed(pages="3-9"), placed(), Verdict.UNSURE, "page-differs"),
        # ahead of print is the year before, with the same abstract, in the same journal, by the same people, and not in a supplement
        (placed(volume="", issue="", pages="", date="2019"), placed(), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(abstractNote=BEGUN_ALIKE), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(abstractNote=ABSTRACT.replace("forty", "4"), date="2020"), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(f"{KELP}: updated", abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(issue="Supplement_1", pages="2612", abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2021", abstractNote=ABSTRACT), placed(abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(volume="", issue="", pages="", abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="3", pages="", date="2019", abstractNote=ABSTRACT), placed(abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(abstractNote=OTHER_ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", authors=PEOPLE[:2]), placed(), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", authors=PEOPLE[:1]), placed(authors=PEOPLE[:1]), Verdict.UNSURE, "no-page"),
        (placed(volume="", issue="", pages="", date="2019", abstractNote=ABSTRACT), placed(pages="S117", abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        # what was cut off from a title is a subtitle if all of the abstract is the same
        (placed(f"{KELP}: results at 24 months", abstractNote=BEGUN_ALIKE), placed(pages="", abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(f"{KELP}: a survey", abstractNote=ABSTRACT), placed(pages="", issue="Suppl 1", abstractNote=ABSTRACT), Verdict.UNSURE, "no-page"),
        (placed(KELP + ": a qualitative interview study", abstractNote=ABSTRACT), placed(pages="", abstractNote=ABSTRACT, volume=""), Verdict.UNSURE, "no-page"),
        (placed(pages="", volume="9"), placed(), Verdict.UNSURE, "volume-differs"),
        (placed(authors=("quist",), issue=""), placed(pages="117"), Verdict.UNSURE, "people-differ"),
        (placed(title="Kelp News", authors=()), placed(title="Kelp news", authors=(), abstractNote=ABSTRACT), Verdict.UNSURE, "title-generic"),
        (paper(title="kelp forests in the north sea"), paper(title="kelp forests of the northern bay"), Verdict.UNSURE, "title-unlike"),
        (paper(), paper(title=""), Verdict.UNSURE, "title-missing"),
        # related: never merged
        (paper(), paper(title=f"erratum {KELP}"), Verdict.RELATED, "notice"),
        (paper(), paper(title=f"reply to {KELP}"), Verdict.RELATED, "notice"),
        (placed(), placed(title=f"{KELP} (vol 8, pg 117, 2020)"), Verdict.RELATED, "notice"),
        (placed(), placed(title=f"{KELP}: study protocol"), Verdict.RELATED, "notice"),
        (placed(title=f"{KELP}: part I"), placed(title=f"{KELP}: part II", pages="125-130"), Verdict.RELATED, "numbers-differ"),
        (placed(), placed(title=f"{KELP}: phase 3 results", pages="e93640"), Verdict.RELATED, "numbers-differ"),
        (placed(title=f"{KELP} 2019", pages="1-9"), placed(title=f"{KELP} 2020", pages="11-19"), Verdict.RELATED, "numbers-differ"),
        (placed(), placed(pages="S366"), Verdict.RELATED, "supplement"),
        (placed(DOI="10.1/x"), placed(kind="preprint", publicationTitle="", volume="", issue="", pages="", DOI="10.2/y"), Verdict.RELATED, "preprint"),
        (placed(), placed(publicationTitle="medRxiv", volume="", issue="", pages="", date="2019"), Verdict.RELATED, "preprint"),
        (placed(DOI="10.1/x"), placed(kind="conferencePaper", volume="", issue="", pages="3-9", DOI="10.2/y"), Verdict.RELATED, "conference"),
        (placed(DOI=f"{COCHRANE}.pub2"), placed(DOI=f"{COCHRANE}.pub3", date="2024"), Verdict.RELATED, "cochrane-version"),
        (placed(publicationTitle="The Cochrane Database of Systematic Reviews", volume="", issue="", pages="", date="2019"), placed(publicationTitle="Cochrane Database Syst Rev", volume="", issue="3", pages="CD001234"), Verdict.RELATED, "cochrane-version"),
        (book(date="2011"), book(date="2019"), Verdict.RELATED, "edition"),
        (book(), chapter(), Verdict.RELATED, "chapter"),
        # different
        (paper(), paper(title="sleep in shift workers a cohort"), Verdict.DIFFERENT, "title-differs"),
        (paper(), paper(doi="10.1/y"), Verdict.DIFFERENT, "identifiers-differ"),
        (placed(DOI="10.1/x", title="Introduction"), placed(DOI="10.1/x", title="Introduction", pages="140-150"), Verdict.DIFFERENT, "place-differs"),
        (placed(title="Editorial introduction", issue="1", pages="3-8", DOI="10.1/a"), placed(title="Editorial introduction", pages="3-4", DOI="10.1/b"), Verdict.DIFFERENT, "identifiers-differ"),
        (placed(authors=("quist",), pages=""), placed(), Verdict.DIFFERENT, "people-differ"),
        (placed(date="2010", pages=""), placed(), Verdict.DIFFERENT, "year-differs"),
        (placed(publicationTitle="Diabetes", pages=""), placed(publicationTitle="Diabetes Care"), Verdict.DIFFERENT, "not-enough"),
        (paper(doi="", author=""), paper(doi="", year=2019), Verdict.DIFFERENT, "not-enough"),
        (paper(title="", doi=""), paper(title="", doi=""), Verdict.DIFFERENT, "title-missing"),
    ],
)  # fmt: skip
def test_a_verdict_has_its_reason_and_is_the_same_from_both_sides(
    one: Sketch, other: Sketch, verdict: Verdict, reason: str
) -> None:
    found = compare(one, other)
    assert (found.verdict, reason in {found.reasons[-1], *found.reasons[:-1]}) == (verdict, True), found
    assert compare(other, one) == found


@pytest.mark.parametrize(
    "said",
    [
        "Kelp in the northern sea [Review] [33 refs]",
        "[Kelp in the northern sea]. [Review] [French]",
        "Kelp in the northern sea [see comment]",
        "Kelp in the northern sea.[Erratum appears in J Tidal Biol. 2021;9:3]",
        "RETRACTED: <i>Kelp</i> in the northern sea",
    ],
)
def test_what_databases_put_around_a_title_is_left_out(said: str) -> None:
    found = sketch(Record("journalArticle", fields={"title": said}))
    assert (found.title, found.marks) == ("kelp in the northern sea", ())


@pytest.mark.parametrize(
    ("pages", "first", "last"),
    [
        ("482-91", "482", "491"),
        ("05-Jun", "5", "6"),
        ("Jun-05", "6", "5"),
        ("pp. 117--124", "117", "124"),
        ("S12-S19", "s12", "s19"),
        ("e50113", "e50113", ""),
        ("0117", "117", ""),
        ("xii-xv", "xii", "xv"),
        ("n/a", "", ""),
        ("no pagination", "", ""),
        ("233-8+230-5", "233", "238"),
        ("", "", ""),
    ],
)
def test_pages_are_read_however_they_are_written(pages: str, first: str, last: str) -> None:
    found = sketch(Record("journalArticle", fields={"pages": pages, "volume": "8"}))
    assert (found.first, found.last) == (first, last)


@pytest.mark.parametrize(
    "note",
    [
        "[Erratum appears in Lancet and is corrected in the online version of this article only]",
        "[Ann Intern Med 2003;138:1-10; see comments in Ann Intern Med 2003;139:500-512]",
        "(Paper presented as an abstract at the 12th annual meeting of the European Society of Cardiology 2003; 24)",
    ],
)
def test_a_long_note_of_a_database_is_left_out_and_a_translation_is_not(note: str) -> None:
    title = "Schlaf von Besatzungen im Schichtdienst"
    assert sketch(Record("journalArticle", fields={"title": f"{title} {note}"})).title == title.lower()
    translated = f"{title} [Sleep in shift workers on ferries of the north sea: a review of the literature]"
    found = sketch(Record("journalArticle", fields={"title": translated}))
    assert found.title.endswith("north sea a review of the literature")
    assert found.marks == ()


def test_a_correction_of_a_correction_is_marked_as_such() -> None:
    once, twice = (
        sketch(Record("journalArticle", fields={"title": f"{said}{KELP}"}))
        for said in ("Correction: ", "Correction to: Correction: ")
    )
    assert once.title == f"erratum {KELP}"
    assert set(once.marks) < set(twice.marks)


def test_a_word_in_the_middle_of_a_long_title_keeps_what_is_ahead_of_print_a_question() -> None:
    def one(word: str, **fields: str) -> Sketch:
        title = f"{KELP} in summer and winter, and what eats them there: a {word}comparison of twelve bays and of all their islands, with a map"
        return placed(title, PEOPLE, abstractNote=ABSTRACT, **fields)

    early = one("", volume="", issue="", pages="", date="2019")
    assert compare(early, one("")).verdict is Verdict.SAME
    assert compare(early, one("new ")).verdict is Verdict.UNSURE


def test_an_abstract_of_a_meeting_and_its_article_are_not_joined_by_a_record_without_place() -> None:
    meeting = sketch(
        replace(
            cited_article(volume="132", issue="Supplement 1", pages="2612"), unmapped=(("M3", "Conference Abstract"),)
        )
    )
    bare, article = sketch(cited_article()), sketch(cited_article(date="2019", volume="133", issue="1", pages="7-17"))
    assert compare(meeting, article).verdict is Verdict.RELATED
    known = {1: meeting, 2: bare, 3: article}
    found = clusters(known, groups(known))
    assert len({1, 3} - found.followers.keys()) == 2
    assert compare(meeting, replace(article, volume="")).verdict is Verdict.UNSURE, "in one volume it may be a misprint"


def cited_article(**fields: str) -> Record:
    people = tuple(Creator("author", last, "A.") for last in PEOPLE)
    said = {"title": KELP, "date": "2018", "publicationTitle": "Blood of the Sea", **fields}
    return Record("journalArticle", fields=said, creators=people)


def test_a_first_page_of_1_says_nothing_without_a_volume() -> None:
    assert sketch(Record("journalArticle", fields={"pages": "1-6"})).first == ""


@pytest.mark.parametrize(
    ("journal", "volume", "name", "number"),
    [
        ("PLoS ONE.9 (4) (no pagination) 2014", "", "plos one", "9"),
        ("Nature.516 (729) ()(pp S1-S5) 2015.Date of Publication: 2015", "", "nature", "516"),
        ("Heart. Conference: British Atherosclerosis Society", "97", "heart", "97"),
        ("BMJ (Clinical research ed.)", "2)", "bmj", ""),
        ("Lancet", "Vol. 07", "lancet", "7"),
    ],
)
def test_the_journal_is_told_from_the_citation_around_it(journal: str, volume: str, name: str, number: str) -> None:
    found = sketch(Record("journalArticle", fields={"publicationTitle": journal, "volume": volume}))
    assert (found.journal, found.volume) == (name, number)


def test_an_article_number_in_the_issue_is_its_page() -> None:
    for issue in ("e0192222", "Article 178"):
        assert sketch(Record("journalArticle", fields={"issue": issue, "volume": "4"})).first in {"e0192222", "178"}


def test_what_is_related_keeps_others_apart_too() -> None:
    assert compare(paper(), paper(title=f"erratum {KELP}")).forbids
    assert compare(paper(), paper(doi="10.1/y")).forbids
    talk = placed(kind="conferencePaper", volume="5", pages="3-9")
    assert compare(talk, placed()).reasons == ("conference",)
    assert compare(talk, placed()).forbids
    elsewhere = compare(
        placed(volume="5", issue="", pages="3-9"), placed(publicationTitle="Annals of Lighthouse Medicine")
    )
    assert (elsewhere.verdict, elsewhere.reasons) == (Verdict.DIFFERENT, ("places-differ",))
    assert elsewhere.forbids
    assert not compare(
        placed(), placed(publicationTitle="Annals of Lighthouse Medicine", volume="", issue="", pages="")
    ).forbids


WORDS = (
    "kelp",
    "sea",
    "forests",
    "of",
    "urchins",
    "part",
    "two",
    "2",
    "II",
    "erratum",
    "Müller",
    "éclat",
    "reply",
    "a",
    "cohort",
    "trial",
)


@st.composite
def sketches(draw: st.DrawFn) -> Record:
    title = " ".join(draw(st.lists(st.sampled_from(WORDS), max_size=9)))
    fields = {
        "title": title,
        "date": draw(st.sampled_from(["", "2019", "2020", "2022"])),
        "publicationTitle": draw(st.sampled_from(["", "J Tidal Biol", "Journal of Tidal Biology", "Nature"])),
        "volume": draw(st.sampled_from(["", "8", "9"])),
        "issue": draw(st.sampled_from(["", "1", "2"])),
        "pages": draw(st.sampled_from(["", "1-6", "117-124", "117", "e1170", "S117", "119-124"])),
        "abstractNote": draw(st.sampled_from(["", ABSTRACT, ABSTRACT[::-1]])),
    }
    people = tuple(
        Creator("author", last, "A.")
        for last in draw(st.lists(st.sampled_from(["Müller", "Li", "van der Berg", "Berg"]), max_size=3))
    )
    names = {
        "DOI": draw(st.sampled_from(["", "10.1000/a", "10.1000/b"])),
        "PMID": draw(st.sampled_from(["", "7", "8"])),
    }
    return Record("journalArticle", fields=fields, creators=people, identifiers=names)


def test_a_talk_in_the_supplement_of_another_journal_is_not_the_article() -> None:
    title = "Effect of home-based dexamethasone on quality of life in patients with sickle cell disease after 24 weeks"
    people = (Creator("author", "Levy", "Renée A."),)
    said = {
        "title": title,
        "date": "2002",
        "volume": "13",
        "abstractNote": f"BACKGROUND: {title}. We aimed to study pain.",
    }
    talk = {"publicationTitle": "American Journal of Pediatrics", "issue": "1 Supplement", "pages": "S819"}
    article = {"publicationTitle": "Current Opinion in Psychiatry", "issue": "3", "pages": "819-829"}
    one, other = (sketch(Record("journalArticle", {**said, **own}, people)) for own in (talk, article))
    assert compare(one, other).verdict is not Verdict.SAME


def test_words_are_laid_side_by_side_the_same_whoever_comes_first() -> None:
    one, other = (
        sketch(Record("journalArticle", fields={"title": title}, identifiers={"PMID": "7"}))
        for title in ("sea sea kelp sea kelp kelp sea kelp", "sea sea kelp a kelp sea sea kelp")
    )
    assert compare(one, other) == compare(other, one)


def test_comparing_is_symmetric_reflexive_and_blind_to_case_and_form() -> None:
    met: Counter[str] = Counter()

    @settings(max_examples=1500)
    @given(
        sketches(),
        sketches(),
        st.sets(st.sampled_from(["title", "publicationTitle", "volume", "pages"])),
        st.sampled_from(["", "", "", " part two", " erratum"]),
    )
    def holds(one: Record, another: Record, shared: set[str], more: str) -> None:
        other = another.with_fields({name: one.fields.get(name, "") for name in shared})
        other = other.with_fields({"title": other.fields.get("title", "") + more})
        mine, theirs = sketch(one), sketch(other)
        found = compare(mine, theirs)
        assert compare(theirs, mine) == found
        assert contradicts(mine, theirs) == contradicts(theirs, mine)
        if mine.title:
            assert compare(mine, mine).verdict is Verdict.SAME
        for change in (str.upper, lambda text: unicodedata.normalize("NFD", text)):
            again = sketch(
                one.with_fields({name: change(one.fields.get(name, "")) for name in ("title", "publicationTitle")})
            )
            assert compare(again, theirs) == found
        met[found.verdict.value] += 1

    holds()
    assert min(met[verdict.value] for verdict in (Verdict.SAME, Verdict.UNSURE, Verdict.RELATED, Verdict.DIFFERENT)) > 5


def test_what_two_dois_tell_apart_is_neither_joined_nor_asked() -> None:
    met: Counter[bool] = Counter()

    @settings(max_examples=1500)
    @given(sketches(), sketches(), st.booleans(), st.sampled_from(["", " i", " and more", ": a review"]))
    def holds(one: Record, another: Record, alike: bool, more: str) -> None:
        other = another.with_fields({"title": one.fields.get("title", "") + more}) if alike else another
        mine, theirs = sketch(one), sketch(other)
        apart = apart_by_doi(mine, theirs)
        assert apart == apart_by_doi(theirs, mine)
        for joined in (False, True):
            found = compare(mine, theirs, join_versions=joined)
            assert not apart or found.verdict in {Verdict.RELATED, Verdict.DIFFERENT}
        met[apart] += 1

    holds()
    assert min(met[True], met[False]) > 50
    versions = (
        placed(DOI=f"{COCHRANE}.pub2"),
        placed(f"some {KELP.replace('northern', 'north')}", DOI=f"{COCHRANE}.pub3", date="2024"),
    )
    assert compare(*versions, join_versions=True).verdict is Verdict.SAME
    assert not apart_by_doi(*versions)


def test_sketching_what_was_sketched_changes_nothing() -> None:
    @given(sketches())
    def holds(one: Record) -> None:
        mine = sketch(one)
        assert sketch(replace(one, fields={**one.fields, "title": mine.title})).title == mine.title

    holds()


@pytest.mark.parametrize(
    ("record", "answer", "why"),
    [
        (paper(), paper(), ""),
        (paper(title=""), paper(), ""),
        (paper(), paper(title="sleep in shift workers a cohort"), "title-differs"),
        (paper(title=""), paper(title="", author="smith"), "author-differs"),
        (paper(title="", author=""), paper(year=2010), "year-differs"),
        (paper(title="", author="", year=2021), paper(), ""),
        (paper(title="", author="", year=0), paper(), ""),
        (paper(title=f"{KELP} part 1"), paper(title=f"{KELP} part 2"), "numbers-differ"),
    ],
)
def test_an_answer_counts_unless_something_speaks_against_it(record: Sketch, answer: Sketch, why: str) -> None:
    assert contradicts(record, answer) == why


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
        (KELP, "berg", 2020, ""),
        (KELP, "quist", 2020, ""),
        (KELP, "berg", 2011, ""),
        (KELP, "quist", 2011, "author-differs, year-differs"),
        (KELP, "van der berg", 2019, ""),
        ("editorial", "quist", 2020, "author-differs"),
        ("editorial", "berg", 2011, "year-differs"),
        ("editorial", "berg", 2021, ""),
        ("editorial", "", 0, ""),
    ],
)
def test_where_titles_agree_author_and_year_may_not_both_disagree(title: str, author: str, year: int, why: str) -> None:
    assert contradicts(paper(title=title), paper(title=title, author=author, year=year)) == why


@pytest.mark.parametrize(
    "mark", ["RETRACTED: ", "Retracted Article: ", "[WITHDRAWN] ", "Article retracted: ", "REMOVED: "]
)
def test_a_work_that_was_taken_back_is_still_the_same_work(mark: str) -> None:
    plain, marked = (sketch(Record("journalArticle", fields={"title": title})) for title in ("Kelp", f"{mark}Kelp"))
    assert contradicts(plain, marked) == ""
    assert contradicts(plain, paper(title="retraction kelp")) == "notice"


def test_versions_of_a_cochrane_review_are_one_work_only_where_that_is_wanted() -> None:
    older, newer = placed(DOI=f"{COCHRANE}.pub2"), placed(DOI=f"{COCHRANE}.pub3", date="2024")
    assert compare(older, newer).forbids
    assert compare(older, newer, join_versions=True).verdict is Verdict.SAME
    assert (
        compare(
            older, placed(DOI="10.1002/14651858.CD009999.pub3", volume="9", pages="1-5"), join_versions=True
        ).verdict
        is not Verdict.SAME
    )
    assert (
        compare(older, placed("other people at another coast", DOI=f"{COCHRANE}.pub3"), join_versions=True).verdict
        is Verdict.DIFFERENT
    )


def test_a_chapter_meets_its_book_under_a_shared_key() -> None:
    assert block_keys(book()) & block_keys(chapter())
    assert compare(book(), chapter(book_title="quite another book of the sea")).verdict is Verdict.DIFFERENT


def both(title: str, **fields: Any) -> tuple[Sketch, Sketch]:
    """Two articles of one place whose titles differ as `one|other` says."""
    one, other = (re.sub(r"\{([^|]*)\|([^}]*)\}", rf"\{n}", title) for n in (1, 2))
    return placed(one, **fields), placed(other, **fields)


BARE: dict[str, Any] = {"volume": "74", "issue": "", "pages": ""}
ONE_PAGE: dict[str, Any] = {"pages": "S12", "issue": ""}


@pytest.mark.parametrize(
    "pair",
    [
        # a word that says otherwise
        both("Risk factors of hepatitis {B|C} virus infection among blood donors", **BARE),
        both("Risk factors of hepatitis {B|C} virus infection among blood donors", **ONE_PAGE),
        both("Risk factors of hepatitis {B|C} virus infection among blood donors", DOI="10.1016/x", **BARE),
        both("Budget impact of {adalimumab|etanercept} for moderate arthritis in Spain", **ONE_PAGE),
        both("Early {maternal|paternal} depression and sleep of small children at sea", **BARE),
        both("Depression in patients {with|without} comorbid anxiety: a cohort of ferry crews", **BARE),
        both("Outcomes of {hyperthyroidism|hypothyroidism} in ferry crews over ten years", **BARE),
        both("Serum interferon-{α|β} in ferry crews with chronic tiredness", **BARE),
        both("二十年间沿海{男性|女性}渡轮船员睡眠障碍的患病率及其危险因素调查研究", **BARE),
        # brackets that belong to the title
        both("Kelp forests of the northern coast{| (Erratum)}", DOI="10.1016/x"),
        both("Kelp forests of the northern coast{| [Reply]}"),
        both("Studies on the constituents of northern kelp {(II)|(III)}", **BARE),
        both("Norms for the tidal depression inventory {(men)|(women)}", **BARE),
        both("Trends in drowning on coasts {(2000, 2010): men aged 20-40|(1990, 1995): women}", **BARE),
        # numbers, however they are written
        both("Sleep of ferry crews at night: part {six|ten}", **BARE),
        both("Sleep of ferry crews at night: {V|X}", **BARE),
        both("Sleep of ferry crews, module {A|B} of a programme", **BARE),
        both("Circulating CD4{+|-} cells of ferry crews with tiredness", **BARE),
        both("Sleep of children {<|>}5 years on ferries at night", **BARE),
        # companions
        both("Collaborative care for tiredness on ferries{|: rationale and study design}", **BARE),
        both("Collaborative care for tiredness on ferries{|: an economic evaluation}", **BARE),
        # what is theirs alone
        (book(edition="2"), book(edition="3")),
        (book(edition="2nd ed."), book(edition="third edition")),
        (placed(publicationTitle="https://clinicaltrials.gov/show/NCT03223896", **BARE), placed(publicationTitle="https://clinicaltrials.gov/show/NCT03221417", **BARE)),
        (placed(issue="Suppl 1", volume="", pages=""), placed(issue="Suppl 2", volume="", pages="")),
        # Cochrane
        both("Tidal baths for sprains in adults{ (Protocol)| (Review)}", publicationTitle="Cochrane Database of Systematic Reviews", pages="CD011170"),
        (placed(DOI="10.1016/x", **BARE), placed(DOI="10.1016/x", date="2009", publicationTitle="Annals of Lighthouse Medicine", volume="3", issue="", pages="")),
        # people
        (placed(pages="455", authors=("jones",)), placed(pages="455", authors=("parekh",))),
        (placed(authors=("wang", "li"), **BARE), sketch(Record("journalArticle", fields={"title": KELP, "date": "2020", "volume": "74", "publicationTitle": "Journal of Applied Tidal Biology"}, creators=(Creator("author", "Wang", "Y."), Creator("author", "Zhang", "Q."))))),
    ],
)  # fmt: skip
def test_two_works_that_look_alike_are_not_merged(pair: tuple[Sketch, Sketch]) -> None:
    one, other = pair
    assert compare(one, other).verdict is not Verdict.SAME
    assert compare(one, other) == compare(other, one)


NEAR_WORDS = (
    "{Treated|Untreated} hypertension and dementia in late life",
    "{Smokers|Nonsmokers} and their perception of lung cancer risk",
    "{Symptomatic|Asymptomatic} carotid stenosis and its surgery",
    "Measles outbreaks among {vaccinated|unvaccinated} children in Ohio",
    "{Macrocytic|Microcytic} anaemia in alcoholics: a review of cases",
    "Nausea in patients on {cisplatin|carboplatin} chemotherapy",
    "Prevalence of hepatitis in {northern|southern} Kenya",
    "The {abduction|adduction} of the hip in young dancers",
    "Use of tobacco among school children in {Mali|Bali}",
    "{Afferent|Efferent} control of the bladder in the cat",
    "Trends in mortality among {immigrants|emigrants} in Norway",
    "Inorganic {sulfate|sulfite} in the diet of ferry crews at sea",
)
NEAR_PLACES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one DOI, neighbouring pages": (
        {"pages": "S12", "DOI": "10.1/s", "abstractNote": ABSTRACT},
        {"pages": "S13", "DOI": "10.1/s", "abstractNote": OTHER_ABSTRACT},
    ),
    "one DOI, other pages and issue": (
        {"pages": "117-124", "DOI": "10.1/s", "issue": "2"},
        {"pages": "125-131", "DOI": "10.1/s", "issue": "3"},
    ),
    "one page, other abstracts": (
        {"pages": "117", "abstractNote": ABSTRACT},
        {"pages": "117", "abstractNote": OTHER_ABSTRACT},
    ),
    "one page of a supplement": ({"pages": "S12"}, {"pages": "S12"}),
    "one PMID, two DOIs": (
        {"DOI": "10.1/a", "PMID": "7", "abstractNote": ABSTRACT},
        {"DOI": "10.1/b", "PMID": "7", "abstractNote": OTHER_ABSTRACT},
    ),
    "no pages": (BARE, BARE),
}


@pytest.mark.parametrize("place", NEAR_PLACES)
@pytest.mark.parametrize("title", NEAR_WORDS)
def test_a_word_that_resembles_another_is_not_that_word(title: str, place: str) -> None:
    """Titles of two works may differ by a head of a word, or by a letter."""
    one, other = (
        placed(re.sub(r"\{([^|]*)\|([^}]*)\}", rf"\{n}", title), **fields)
        for n, fields in enumerate(NEAR_PLACES[place], 1)
    )
    assert compare(one, other).verdict is not Verdict.SAME
    assert compare(one, other) == compare(other, one)


@pytest.mark.parametrize("fields", [ONE_PAGE, {"DOI": "10.1/s"}, {"abstractNote": ABSTRACT, "pages": "117"}, BARE])
@pytest.mark.parametrize(
    "title",
    [
        "Screening for {squamous|squamos} lesions in crews of ferries",
        "Sleep and {persistent|persistant} tiredness in crews of ferries",
        "Myocardial {ischaemia|ischemia} in crews of ferries at night",
        "Criteria that {exclude|exlude} tired crews from night ferries",
        "Reflux of the {oesophagus|esophagus} in crews of ferries at night",
        "The effect{|s} of rest on crews of ferries at night",
    ],
)
def test_a_word_that_is_misspelt_is_still_that_word(title: str, fields: dict[str, Any]) -> None:
    assert compare(*both(title, **fields)).verdict is Verdict.SAME


def test_words_are_laid_side_by_side_both_ways() -> None:
    """In one of the orders only the small words seem to differ."""
    title = "Effects of heart failure on {} in children with {} in rural areas"
    one, other = (
        placed(title.format(*words), pages="117") for words in (("vitamin D", "women"), ("women", "vitamin D"))
    )
    assert compare(one, other).verdict is not Verdict.SAME
    assert compare(one, other) == compare(other, one)


@pytest.mark.parametrize(
    ("title", "verdict"),
    [
        ("Expression of {p16ink4a|p6ink4a} in crews of the northern sea", Verdict.RELATED),
        ("Sleep {on|in} ferries of the northern sea at night", Verdict.SAME),
        ("Sleep {a|alpha} waves on ferries of the northern sea", Verdict.SAME),
        ("Sleep on ferries of the {|cold }northern sea at night", Verdict.SAME),
    ],
)
def test_on_one_page_a_small_difference_of_words_is_weighed(title: str, verdict: Verdict) -> None:
    assert compare(*both(title, **ONE_PAGE)).verdict is verdict


def test_a_misspelt_word_is_asked_about_where_abstract_or_page_speak_against_it() -> None:
    one, other = "Screening for squamous lesions in crews", "Screening for squamos lesions in crews"
    shared: dict[str, Any] = {"DOI": "10.1/s"}
    against: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({"pages": "S12", "abstractNote": ABSTRACT}, {"pages": "S12", "abstractNote": OTHER_ABSTRACT}),
        ({"pages": "S12"}, {"pages": "S19"}),
    )
    for mine, theirs in against:
        found = compare(placed(one, **mine, **shared), placed(other, **theirs, **shared))
        assert (found.verdict, found.reasons[-1]) == (Verdict.UNSURE, "wording-differs")
    long = compare(placed(one, abstractNote=ABSTRACT), placed(other, abstractNote=OTHER_ABSTRACT))
    assert long.verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [
        (both("Sleep in type {II|2} diabetes: a cohort of ferry crews", DOI="10.1016/x"), Verdict.SAME),
        (both("{Two|2}-year outcomes of sleep in crews of ferries"), Verdict.SAME),
        (both("Activation of NF-{κB|kappaB} in ferry crews at night"), Verdict.SAME),
        (both("Activation of NF-{|kappa}B in ferry crews at night"), Verdict.SAME),
        (both("Comparison {of|fo} sleep and rest on ferries of the north", **BARE), Verdict.SAME),
        (both("{Erratum|Correction to}: Sleep in shift workers on ferries"), Verdict.SAME),
        (both("Correction: {|Correction to: }Sleep in shift workers on ferries", **BARE), Verdict.DIFFERENT),
        (both("{Author|Publisher} correction: Sleep in shift workers on ferries", **BARE), Verdict.DIFFERENT),
        (both("Sleep in shift {workers|wrokers} on ferries of the north", **BARE), Verdict.SAME),
        (both("Sleep of ferry crews on nights at sea{| results from 7 crews}", DOI="10.1016/x"), Verdict.SAME),
        (both("Sleep of ferry crews on nights at sea{ 2018| 2019}", DOI="10.1016/x", pages="1"), Verdict.UNSURE),
        (both("Sleep in shift workers{| [Erratum appears in J Sleep 2021;3:4]}"), Verdict.SAME),
        (both("Sleep in shift workers on ferries{| [German]}"), Verdict.SAME),
        (both("{|Schlaf von Besatzungen im Schichtdienst [}Sleep in shift workers on ferries of the north sea: a review of the literature{|]}", DOI="10.1016/x"), Verdict.SAME),
        (both("{|Commentary: }Sleep in shift workers on ferries of the north", DOI="10.1016/x"), Verdict.UNSURE),
        ((placed("Sleep on ferries", DOI="10.1/x", PMID="7"), placed("Sleep on ferries", DOI="10.1/y", PMID="7", pages="117")), Verdict.UNSURE),
        ((placed("Sleep on ferries", DOI="10.1/x", PMID="7"), placed("Sleep on ferries", DOI="10.1/x", PMID="7", pages="9-12")), Verdict.UNSURE),
        ((placed("Schlaf in Schichten auf See", DOI="10.1/x"), placed("Sleep in shifts on ferries", DOI="10.1/x", pages="117")), Verdict.UNSURE),
        ((book(ISBN="978-0-00-000002-1", date="2019"), sketch(Record("book", fields={"title": f"{KELP}: a guide", "date": "2020", "ISBN": "0-00-000002-5"}, creators=(Creator("author", "Berg", "Ada"),)))), Verdict.SAME),
    ],
)  # fmt: skip
def test_one_work_that_is_written_otherwise_is_found_or_asked(pair: tuple[Sketch, Sketch], verdict: Verdict) -> None:
    assert compare(*pair).verdict is verdict
    assert block_keys(pair[0]) & block_keys(pair[1])


@pytest.mark.parametrize(
    "record",
    [
        Record("journalArticle", fields={"title": f"word word (Abc{'def' * 20_000}!)"}),
        Record("journalArticle", fields={"title": f"word word of a title {'[2019 ' * 20_000}"}),
        Record("journalArticle", fields={"title": f"word word of a title {'(see ' * 40_000}"}),
        Record("journalArticle", fields={"title": KELP, "publicationTitle": f"Journal{'. 1 ((((' * 20_000}"}),
        Record("journalArticle", fields={"title": KELP, "pages": "9" * 44_000}),
        Record("journalArticle", fields={"title": KELP, "pages": "12²"}),
    ],
)
def test_hostile_values_are_sketched_and_compared_without_delay(record: Record) -> None:
    """Each of these once took a minute, or ended the run."""
    neighbour = replace(record, fields={**record.fields, "pages": "13³"})
    assert compare(sketch(record), sketch(neighbour)).verdict in Verdict
