"""A record in one line: who, when, where, and by which number."""

from __future__ import annotations

from sync.core.cite import cite
from sync.core.record import Creator, Record

PEOPLE = tuple(Creator("author", last, "Ann B.") for last in ("Walsh", "Li", "Berg", "Moreau"))
FIELDS = {"publicationTitle": "J Coast", "volume": "40", "issue": "2", "pages": "901-910", "date": "2018-03-01"}


def test_everything_that_is_known_is_told() -> None:
    record = Record("journalArticle", fields=FIELDS, creators=PEOPLE, identifiers={"PMID": "7", "DOI": "10.1/x"})
    told = "Walsh AB, Li AB, Berg AB and 1 more (2018-03-01). J Coast 40(2):901-910. doi:10.1/x, pmid:7"
    assert cite(record) == told


def test_what_is_not_known_leaves_no_trace() -> None:
    assert cite(Record("book", fields={"title": "Tides"})) == ""
    assert cite(Record("journalArticle", fields={"volume": "8"}, creators=(Creator("author", name="WHO"),))) == "WHO. 8"
