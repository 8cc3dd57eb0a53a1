"""Dates as drops write them become dates as Zotero writes them."""

from __future__ import annotations

import pytest

from sync.core import dates


@pytest.mark.parametrize(
    ("parts", "date"),
    [
        ((2024, 2, 19), "2024-02-19"),
        (("2024", "2", None), "2024-02"),
        ((2024, 0, 5), "2024"),
        ((2024, 13, 5), "2024"),
        ((2024, 2, 32), "2024-02"),
        ((2024, None, None), "2024"),
        (("", "2", "3"), ""),
        (("n.d.", None, None), ""),
        (("²", None, None), ""),
        ((812, 1, 1), "0812-01-01"),
    ],
)
def test_parts_that_are_missing_or_impossible_end_the_date(parts: tuple[int | str | None, ...], date: str) -> None:
    assert dates.iso(*parts) == date


@pytest.mark.parametrize(("word", "number"), [("February", 2), ("DEC", 12), (" sept. ", 9), ("Spring", 0), ("", 0)])
def test_months_are_known_by_three_letters(word: str, number: int) -> None:
    assert dates.month_number(word) == number


@pytest.mark.parametrize(
    ("ris", "date"),
    [
        ("2024/2/19", "2024-02-19"),
        ("2024/02/19/", "2024-02-19"),
        ("2012/05//", "2012-05"),
        ("2018///", "2018"),
        ("2018///Spring", "2018"),
        ("2023/01//Jan-Jun2023", "2023-01"),
        ("2024/13/45", "2024"),
        ("2024-02-01", "2024-02-01"),
        ("2024-02-01T10:00:00Z", "2024-02-01"),
        ("2024-02", "2024-02"),
        ("20220219", "2022-02-19"),
        ("Start date: 20170812", "2017-08-12"),
        ("2016", "2016"),
        ("2016/", "2016"),
        ("0000", ""),
        ("4-8 Aug. 2020", "4-8 Aug. 2020"),
        ("Jan/Feb 2021", "Jan/Feb 2021"),
        ("2015/october", "2015/october"),
        ("Winter  2020", "Winter 2020"),
        ("FEB", "0000 FEB"),
        ("Feb. 12", "0000 Feb 12"),
        ("JUL-DEC", "0000 JUL-DEC"),
        ("/02/12/Spring", "0000 Spring"),
        ("in press", "in press"),
        ("n.d.", "n.d."),
        ("99", "99"),
        ("", ""),
    ],
)
def test_a_ris_date_becomes_zoteros(ris: str, date: str) -> None:
    assert dates.from_ris(ris) == date


@pytest.mark.parametrize(
    ("text", "year"), [("4-8 Aug. 2020", "2020"), ("120201", ""), ("1399", ""), ("2099-01", "2099"), ("FEB", "")]
)
def test_a_year_is_four_digits_that_look_like_one(text: str, year: str) -> None:
    assert dates.year_of(text) == year


@pytest.mark.parametrize(
    ("date", "ris", "all_of_it"),
    [
        ("2024-02-19", "2024/2/19", True),
        ("2024-02-19", "2024", True),
        ("2024", "2024/02//", False),
        ("2024", "2024///Spring", False),
        ("Spring 2024", "2024///Spring", True),
        ("2011 Feb 12", "Feb. 12", True),
        ("0000 Start", "Start of spring", False),
    ],
)
def test_it_is_known_whether_a_date_says_all(date: str, ris: str, *, all_of_it: bool) -> None:
    assert dates.says(date, ris) is all_of_it


def test_a_date_without_year_takes_one() -> None:
    assert dates.with_year("0000 FEB", "2011") == "2011 FEB"
    assert dates.with_year("FEB 3", "2011") == "2011 FEB 3"
    assert dates.with_year("", "2011") == "2011"


@pytest.mark.parametrize("text", ["not-a-year", "n.d.-2", "c.?"])
def test_what_is_no_date_stays_as_it_stands(text: str) -> None:
    assert dates.from_ris(text) == text
