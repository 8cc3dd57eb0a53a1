"""Only what is empty is filled, and every change says why."""

from __future__ import annotations

from sync.core.merge import Change, absorb, fill
from sync.core.record import Attachment, Candidate, Creator, Provenance, Record

CROSSREF, PUBMED, DROP = (Provenance(name, "doi", "2026-11-23T08:00:00Z") for name in ("crossref", "pubmed", "drop"))


def article(**fields: str) -> Record:
    return Record("journalArticle", fields={"title": "Kelp", **fields})


def test_an_empty_field_is_filled_and_a_given_one_is_kept() -> None:
    merged = fill(article(volume="8"), [Candidate(article(volume="9", issue="2"), CROSSREF)])
    assert dict(merged.record.fields) == {"title": "Kelp", "volume": "8", "issue": "2"}
    assert merged.changes == (Change("issue", "", "2", CROSSREF),)


def test_the_first_source_that_knows_a_field_fills_it() -> None:
    offers = [Candidate(article(issue="1"), PUBMED), Candidate(article(issue="2", pages="5"), CROSSREF)]
    merged = fill(article(), offers)
    assert (merged.record.fields["issue"], merged.record.fields["pages"]) == ("1", "5")
    assert [change.because.source for change in merged.changes] == ["pubmed", "crossref"]


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
