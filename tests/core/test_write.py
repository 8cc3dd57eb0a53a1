"""Items written for other programs: RIS that is read again as it was, CSL-JSON that says the same."""

from __future__ import annotations

from typing import Any

import pytest

from sync import drops
from sync.core.items import to_item
from sync.core.record import Reading
from sync.core.write_csl import as_csl
from sync.core.write_ris import as_ris
from sync.steps.intake import readings

PEOPLE = [
    {"creatorType": "author", "lastName": "Berg", "firstName": "Ada"},
    {"creatorType": "author", "name": "World Kelp Group"},
    {"creatorType": "editor", "lastName": "Li", "firstName": "Bo"},
]
ARTICLE: dict[str, Any] = {
    "itemType": "journalArticle", "title": "Kelp <i>Laminaria</i> & tides", "creators": PEOPLE,
    "publicationTitle": "Journal of Kelp", "journalAbbreviation": "J Kelp", "volume": "8", "issue": "2", "pages": "117-124",
    "date": "2024-02-19", "DOI": "10.1000/x.1", "PMID": "38373027", "PMCID": "PMC123456", "ISSN": "2561-326X", "language": "en",
    "abstractNote": "Background: A < B.", "url": "https://example.org/a", "tags": [{"tag": "kelp"}, {"tag": "a, b"}],
    "libraryCatalog": "Crossref", "shortTitle": "Kelp", "accessDate": "2024-03-01",
}  # fmt: skip
ITEMS: list[dict[str, Any]] = [
    ARTICLE,
    {"itemType": "bookSection", "title": "A part", "bookTitle": "The whole", "creators": [
        {"creatorType": "author", "lastName": "Berg", "firstName": "Ada"}, {"creatorType": "editor", "lastName": "Li", "firstName": "Bo"},
        {"creatorType": "seriesEditor", "lastName": "No", "firstName": "A"}], "date": "2020", "publisher": "P", "place": "Oslo",
        "ISBN": "978-3-16-148410-0", "series": "S", "seriesNumber": "4", "edition": "2", "pages": "1-9"},
    {"itemType": "book", "title": "The whole", "numPages": "300", "date": "2020-03", "series": "S", "seriesNumber": "4"},
    {"itemType": "thesis", "title": "T", "thesisType": "PhD", "university": "U", "date": "2019", "numPages": "99"},
    {"itemType": "conferencePaper", "title": "T", "proceedingsTitle": "Proc", "conferenceName": "Conf", "date": "2019", "pages": "e17"},
    {"itemType": "report", "title": "T", "reportNumber": "7", "institution": "WHO", "reportType": "white", "seriesTitle": "X"},
]  # fmt: skip


def read(text: str) -> list[Reading]:
    return [part for part in readings(drops.lines_of(text.encode())) if isinstance(part, Reading)]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: str(item["itemType"]))
def test_what_is_written_as_ris_is_read_as_it_was(item: dict[str, Any]) -> None:
    (reading,) = read(as_ris(item))
    assert reading.record is not None
    assert to_item(reading.record) == item
    assert (reading.problems, reading.record.notes, reading.entry.confidence) == ((), (), 1.0)


def test_a_value_without_a_tag_and_the_notes_are_not_lost() -> None:
    text = as_ris({**ARTICLE, "extra": "Foo: bar", "partNumber": "3"}, ["<p>A note &amp; <b>more</b></p>"])
    assert "N1  - extra: Foo: bar\n" in text
    assert "N1  - partNumber: 3\n" in text
    assert "N1  - A note & more\n" in text


def test_no_value_can_end_a_reference_or_begin_one() -> None:
    text = as_ris({**ARTICLE, "abstractNote": "One\nER  - \nTY  - BOOK\nTI  - Two"})
    (reading,) = read(text)
    assert reading.record is not None
    assert reading.record.item_type == "journalArticle"
    assert text.count("\nER  -") == 1


def test_csl_says_the_same_in_its_own_words() -> None:
    assert as_csl({**ARTICLE, "key": "ABCD2345"}) == {
        "id": "ABCD2345", "type": "article-journal", "title": "Kelp <i>Laminaria</i> & tides", "abstract": "Background: A < B.",
        "author": [{"family": "Berg", "given": "Ada"}, {"literal": "World Kelp Group"}], "editor": [{"family": "Li", "given": "Bo"}],
        "container-title": "Journal of Kelp", "container-title-short": "J Kelp", "volume": "8", "issue": "2", "page": "117-124",
        "issued": {"date-parts": [[2024, 2, 19]]}, "accessed": {"date-parts": [[2024, 3, 1]]}, "DOI": "10.1000/x.1",
        "PMID": "38373027", "PMCID": "PMC123456", "ISSN": "2561-326X", "language": "en", "URL": "https://example.org/a",
        "keyword": "kelp, a, b", "source": "Crossref", "title-short": "Kelp",
    }  # fmt: skip


def test_csl_takes_the_field_of_the_type_its_main_people_and_what_stands_in_extra() -> None:
    told = as_csl({
        "key": "ABCD2345", "itemType": "film", "title": "Tides", "distributor": "D", "date": "Spring 2020", "extra": "PMID: 7",
        "creators": [{"creatorType": "director", "lastName": "Li", "firstName": ""}, {"creatorType": "producer", "name": "P"}],
    })  # fmt: skip
    assert (told["type"], told["publisher"], told["issued"], told["PMID"]) == (
        "motion_picture",
        "D",
        {"raw": "Spring 2020"},
        "7",
    )
    assert told["author"] == [{"family": "Li"}]
    assert told["producer"] == [{"literal": "P"}]
