"""Which database an export came from is told by its records, and nothing is said where they do not tell."""

from __future__ import annotations

import time

import pytest

from sync.core.databases import database_line, database_of, majority
from sync.core.record import Entry


def entry(*tagged: tuple[str, str]) -> Entry:
    return Entry(1, (1, 9), (0, 99), 0, tuple((tag, value, 1) for tag, value in tagged), "")


@pytest.mark.parametrize(
    ("tag", "value", "name"),
    [
        ("DB", "Embase", "Embase"),
        ("DB", "Embase Classic+Embase", "Embase"),
        ("DB", "Ovid MEDLINE(R) ALL <1946 to November 20, 2026>", "MEDLINE"),
        ("DB", "APA PsycInfo", "APA PsycInfo"),
        ("DB", "psyh", "APA PsycInfo"),
        ("DB", "rzh", "CINAHL"),
        ("DB", "Scopus", "Scopus"),
        ("DB", "ABI/INFORM Global", "ABI/INFORM Global"),
        ("DP", "Ovid MEDLINE(R) <2019>", "MEDLINE"),
        ("C1", "Database: Embase <1974 to 2026 November 20>", "Embase"),
        ("UR", "https://www.scopus.com/inward/record.uri?eid=2-s2.0-1", "Scopus"),
        ("N1", "Export Date: 20 November 2026", "Scopus"),
        ("AN", "WOS:000123456700001", "Web of Science"),
        ("AN", "CN-01234567", "CENTRAL"),
        ("AN", "2019-12345-001", "APA PsycInfo"),
        ("U2", "L2001234567", "Embase"),
        ("LK", "https://www.embase.com/search/results?subaction=viewrecord&id=L1", "Embase"),
        ("DP", "EBSCOhost", ""),
        ("DB", "12345", ""),
        ("AU", "Scopus, Ann", ""),
        ("UR", "https://example.org/scopus.com/x", "Scopus"),
        ("DB", "a" * 61, ""),
    ],
)
def test_a_record_names_its_database(tag: str, value: str, name: str) -> None:
    assert database_of(entry(("TY", "JOUR"), (tag, value)), "ris") == name


def test_a_name_goes_before_a_habit_and_that_before_nothing() -> None:
    assert database_of(entry(("AN", "CN-01234567"), ("DB", "Embase")), "ris") == "Embase"
    assert database_of(entry(("DP", "EBSCOhost"), ("AN", "CN-01234567")), "ris") == "CENTRAL"
    assert database_of(entry(("DP", "2019 Jan"), ("PMID", "7")), "medline") == "PubMed", "there DP is a date"
    assert database_of(entry(("UT", "WOS:1")), "isi") == "Web of Science"
    assert database_of(entry(), "") == ""


def test_the_line_between_records_may_name_it() -> None:
    assert database_line("1.\nDatabase: Embase <1974 to 2026>\nSearch Strategy:") == "Embase"
    assert database_line("Provider: APA\nDatabase: PsycINFO") == "APA PsycInfo"
    assert database_line("no such line") == ""
    assert database_line("Database: 2026") == ""


def test_a_line_that_never_ends_is_looked_at_once() -> None:
    began = time.process_time()
    for text in ("database: " + "<" * 500_000, "database" + " \n" * 500_000, "database: x " * 100_000):
        database_line(text)
    assert time.process_time() - began < 1.0


def test_the_majority_of_all_records_decides() -> None:
    assert majority({"Embase": 6, "MEDLINE": 4}) == "Embase"
    assert majority({"Embase": 5, "MEDLINE": 5}) == ""
    assert majority({"Embase": 4, "": 6}) == ""
    assert majority({}) == ""
