"""Exactly one action for a record, and a person's edit always wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync.core.bases import canonical, satisfied
from sync.core.plan import Ask, Create, Leave, Place, Twin, Update, Wish, plan, update
from sync.core.record import Creator, Notice, Record
from sync.core.verdicts import Match, Verdict

SAME, UNSURE, OTHER = (Match(verdict, ("doi",)) for verdict in (Verdict.SAME, Verdict.UNSURE, Verdict.DIFFERENT))
RECORD = Record(
    "journalArticle",
    fields={"title": "Kelp", "volume": "8", "DOI": "10.1/x"},
    creators=(Creator("author", "Berg", "A."),),
    tags=("algae", "sea"),
    notes=("<p>n</p>",),
    identifiers={"DOI": "10.1/x", "PMID": "7"},
)
WISH = Wish(collections=("CCCC2222",), tags=("review",))


def twin(data: dict[str, Any] | None = None, base: dict[str, Any] | None = None, **facts: Any) -> Twin:
    held = {"itemType": "journalArticle", "title": "Kelp", **(data or {})}
    plain = {"key": "ABCD2345", "version": 5, "place": Place.ALIVE, "match": SAME, "made": base is not None}
    return Twin(data=held, base=base, **{**plain, **facts})


def test_nothing_alike_is_created_with_collection_tags_and_notes() -> None:
    action = plan(RECORD, [], WISH)
    assert isinstance(action, Create)
    assert action.notes == ("<p>n</p>",)
    assert action.data["collections"] == ["CCCC2222"]
    assert action.data["tags"] == [{"tag": "review"}, {"tag": "algae", "type": 1}, {"tag": "sea", "type": 1}]
    assert "extra" not in action.data


def test_a_different_item_is_no_reason_not_to_create() -> None:
    assert isinstance(plan(RECORD, [twin(match=OTHER)], WISH), Create)


def test_a_doubtful_twin_is_asked_about_unless_it_is_gone() -> None:
    action = plan(RECORD, [twin(match=UNSURE)], WISH)
    assert action == Ask("ABCD2345", ("doi",))
    assert isinstance(plan(RECORD, [twin(match=UNSURE, place=Place.GONE)], WISH), Create)


def test_a_twin_gains_what_it_lacks_and_keeps_what_it_has() -> None:
    action = plan(RECORD, [twin({"volume": "9", "tags": [{"tag": "mine"}]})], WISH)
    assert isinstance(action, Update)
    assert action.foreign
    assert "volume" not in action.data
    assert "title" not in action.data
    assert action.data["DOI"] == "10.1/x"
    assert action.data["creators"] == [{"creatorType": "author", "firstName": "A.", "lastName": "Berg"}]
    assert action.data["collections"] == ["CCCC2222"]
    assert action.data["tags"] == [{"tag": "mine"}, {"tag": "review"}]


def test_an_item_without_any_tag_gains_the_keywords() -> None:
    action = plan(RECORD, [twin()], Wish(keywords="manual"))
    assert isinstance(action, Update)
    assert action.data["tags"] == [{"tag": "algae"}, {"tag": "sea"}]


def test_what_a_person_emptied_or_took_away_is_not_put_back() -> None:
    base = {
        "volume": "8",
        "collections": ["CCCC2222"],
        "tags": [{"tag": "review"}, {"tag": "algae", "type": 1}],
        "DOI": "10.1/x",
    }
    base["creators"] = [{"creatorType": "author", "lastName": "Berg", "firstName": "A."}]
    base["PMID"] = "7"
    held = {"volume": "", "collections": [], "tags": [], "creators": []}
    assert plan(RECORD, [twin(held, base)], WISH) == Leave("ABCD2345", ("doi", "in-library"))


def test_a_field_that_we_never_filled_may_be_filled_later() -> None:
    action = plan(RECORD, [twin({"volume": ""}, {"title": "Kelp"})], Wish())
    assert isinstance(action, Update)
    assert action.data["volume"] == "8"
    assert not action.foreign


def test_fields_are_offered_under_the_names_of_the_twins_type() -> None:
    chapter = Record("bookSection", fields={"title": "Kelp", "bookTitle": "Seas"})
    changed = update(chapter, twin({"itemType": "conferencePaper"}), Wish())
    assert changed == {"proceedingsTitle": "Seas"}


def test_extra_is_written_only_when_an_item_is_made() -> None:
    record = Record("book", fields={"title": "Kelp", "extra": "PMID: 7"})
    assert update(record, twin({"itemType": "book"}), Wish()) == {}


@pytest.mark.parametrize(("place", "reason"), [(Place.TRASH, "in-trash"), (Place.GONE, "deleted-by-person")])
def test_what_a_person_threw_away_is_left_where_it_is(place: Place, reason: str) -> None:
    assert plan(RECORD, [twin(place=place)], WISH) == Leave("ABCD2345", ("doi", reason))


def test_restore_brings_back_what_lies_in_the_trash_and_makes_anew_what_is_gone() -> None:
    restore = Wish(restore=True)
    action = plan(RECORD, [twin({"deleted": 1}, place=Place.TRASH)], restore)
    assert isinstance(action, Update)
    assert action.data["deleted"] == 0
    assert "restored" in action.reasons
    assert isinstance(plan(RECORD, [twin(place=Place.GONE)], restore), Create)


def test_a_living_twin_goes_before_a_trashed_one_and_the_oldest_before_the_others() -> None:
    old = twin({"dateAdded": "2020-01-01T00:00:00Z"}, key="OLDD2345")
    new = twin({"dateAdded": "2024-01-01T00:00:00Z"}, key="NEWW2345")
    gone = twin({"dateAdded": "2010-01-01T00:00:00Z"}, key="GONE2345", place=Place.GONE)
    action = plan(RECORD, [gone, new, old], WISH)
    assert isinstance(action, Update)
    assert action.key == "OLDD2345"


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("tags", [{"tag": "a", "type": 0}, {"tag": "b"}], [{"tag": "b"}, {"tag": " a "}]),
        ("collections", ["A", "B"], ["B", "A"]),
        ("relations", {"dc:relation": "x"}, {"dc:relation": ["x"]}),
        (
            "creators",
            [{"creatorType": "author", "lastName": "B", "firstName": ""}],
            [{"creatorType": "author", "lastName": "B"}],
        ),
        ("title", " Kelp ", "Kelp"),
        ("volume", None, ""),
    ],
)
def test_two_forms_of_one_value_are_the_same_to_zotero(name: str, one: Any, other: Any) -> None:
    assert canonical(name, one) == canonical(name, other)
    assert satisfied({name: one}, {name: other})


def test_an_update_has_landed_only_if_all_of_it_stands_there() -> None:
    assert satisfied({"volume": "8", "issue": "2"}, {"volume": "8"})
    assert not satisfied({"volume": "8"}, {"volume": "8", "issue": "2"})


FULLER = Record(
    "journalArticle",
    fields={"title": "Kelp", "publicationTitle": "Journal of Tidal Biology", "date": "2020-05-01"},
    creators=(Creator("author", "Berg", "Anna"),),
)
SHORT = {
    "publicationTitle": "J Tidal Biol",
    "date": "2020",
    "creators": [{"creatorType": "author", "firstName": "A.", "lastName": "Berg"}],
}


def test_what_we_wrote_and_nobody_touched_gives_way_to_a_better_value() -> None:
    changed = update(FULLER, twin(SHORT, base=SHORT), Wish())
    assert changed == {
        "publicationTitle": "Journal of Tidal Biology",
        "date": "2020-05-01",
        "creators": [{"creatorType": "author", "firstName": "Anna", "lastName": "Berg"}],
    }


def test_what_a_person_wrote_gives_way_to_nothing_however_much_better() -> None:
    ours = {
        "publicationTitle": "Journal of Tidal Biology",
        "date": "2020-05",
        "creators": [{"creatorType": "author", "firstName": "Anna", "lastName": "Berg"}],
    }
    assert update(FULLER, twin(SHORT, base=ours), Wish()) == {}
    assert update(FULLER, twin(SHORT), Wish()) == {}
    assert update(FULLER, twin(SHORT, base=SHORT, made=False), Wish()) == {}


def test_another_fact_is_no_better_value() -> None:
    other = {
        **SHORT,
        "date": "2019",
        "publicationTitle": "Nature",
        "creators": [{"creatorType": "author", "lastName": "Li", "firstName": "A"}],
    }
    assert update(FULLER, twin(other, base=other), Wish()) == {}


def test_an_item_of_somebody_else_gets_no_tag_of_a_retraction() -> None:
    retracted = replace(FULLER, fields={"title": "Kelp"}, creators=(), notices=(Notice("retraction", "10.1/r"),))
    mine = {"tags": [{"tag": "x"}]}
    assert update(retracted, twin(mine), Wish()) == {}
    assert update(retracted, twin(mine, base=mine), Wish()) == {"tags": [{"tag": "x"}, {"tag": "Retracted"}]}
    gone = {"tags": [{"tag": "x"}, {"tag": "Retracted"}]}
    assert update(retracted, twin(mine, base=gone), Wish()) == {}
