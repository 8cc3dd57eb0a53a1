"""Which of the works that a search found is the record's: only what is beyond doubt is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync.core.identify import Identified, identify
from sync.core.record import Creator, Record

KELP = "Kelp forests of the northern coast and their urchins"


def article(title: str = KELP, authors: tuple[str, ...] = ("Berg", "Li"), **fields: str) -> Record:
    place = {"date": "2020", "publicationTitle": "Journal of Applied Tidal Biology", "volume": "8", "pages": "117-124"}
    people = tuple(Creator("author", last, "A.") for last in authors)
    said = {name: value for name, value in {**place, **fields}.items() if value}
    return Record("journalArticle", fields={"title": title, **said}, creators=people)


def book(**fields: str) -> Record:
    return Record("book", fields={"title": KELP, "date": "2020", **fields}, creators=(Creator("author", "Berg", "A."),))


def taken(record: Record, *works: Record) -> Any:
    found = identify(record, works)
    return found and (found.place if found.sure else "likely")


TRUE = article()


@pytest.mark.parametrize(
    ("spoilt", "wanted"),
    [
        (article(), 0),
        (article(publicationTitle="J Appl Tidal Biol"), 0),
        (article("Kelp forests of the northern coast and thcir urchins"), 0),
        (article("Kelp forests of the northern coast"), 0),
        (article(pages="9"), 0),
        (article(volume="", pages=""), 0),
        (article(date=""), 0),
        (article(authors=()), 0),
        (article(publicationTitle="", volume="", pages=""), "likely"),
        (article(volume="", pages="9"), "likely"),
        (article(date="", volume="", pages=""), "likely"),
        (article(authors=(), pages=""), "likely"),
        (article("Urchins", authors=("Berg",)), None),
        (article(volume="9", pages="9"), None),
        (article(publicationTitle="Annals of Lighthouse Medicine"), None),
        (article(f"Erratum: {KELP}"), None),
        (article(f"{KELP}: part II"), None),
        (article("Sleep of ferry crews in the northern islands and their hearts"), None),
    ],
)
def test_what_is_taken_and_what_is_only_told(spoilt: Record, wanted: Any) -> None:
    assert taken(spoilt, TRUE) == wanted


def test_of_two_that_are_as_likely_none_is_taken() -> None:
    bare = article(volume="", pages="")
    assert taken(bare, TRUE, article(volume="9", pages="5-6")) == "likely"
    assert taken(article(), article(volume="9", pages="117-119"), TRUE) == 1


def test_a_book_needs_three_signals_and_a_preprint_is_not_its_article() -> None:
    assert taken(book(), book(publisher="Example University Press")) == 0
    assert taken(book(), book(date="2012")) is None
    preprint = Record("preprint", fields={"title": KELP, "date": "2020"}, creators=TRUE.creators)
    assert taken(article(volume="", pages=""), preprint) is None


def test_nothing_found_is_nothing() -> None:
    assert identify(TRUE, []) is None
    assert identify(replace(TRUE, fields={}), [TRUE]) is None


def test_the_signals_are_named() -> None:
    found = identify(TRUE, [TRUE])
    assert found == Identified(0, 12.5, ("title", "author", "year", "journal", "volume", "page"), sure=True)
