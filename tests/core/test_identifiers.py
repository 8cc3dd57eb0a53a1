"""Identifiers parse into one form, and what is none of theirs does not."""

from __future__ import annotations

import pytest

from sync.core.identifiers import (
    doi_key,
    find_doi,
    parse_arxiv,
    parse_doi,
    parse_isbn,
    parse_issn,
    parse_orcid,
    parse_pmcid,
    parse_pmid,
)


@pytest.mark.parametrize(
    "text",
    [
        "10.5555/Walls.1",
        " doi:10.5555/Walls.1 ",
        "DOI: 10.5555/Walls.1.",
        "doi 10.5555/Walls.1",
        "https://doi.org/10.5555/Walls.1",
        "http://dx.doi.org/10.5555/Walls.1",
        "https://doi.org/10.5555%2FWalls.1",
        "info:doi/10.5555/Walls.1",
        "https://doi.org/doi:10.5555/Walls.1",
        "(10.5555/Walls.1)".strip("("),
        "10.5555/Walls.1;",
    ],
)
def test_a_doi_is_taken_out_of_whatever_is_around_it(text: str) -> None:
    assert parse_doi(text) == "10.5555/Walls.1"


@pytest.mark.parametrize(
    "text", ["10.1002/(SICI)1097-0258(19980815/30)17:15/16<1661::AID-SIM968>3.0.CO;2-2", "10.5555/a(b)"]
)
def test_brackets_that_pair_belong_to_a_doi(text: str) -> None:
    assert parse_doi(text) == text


@pytest.mark.parametrize("text", ["", "Article", "10.5555", "10.55/x", "see 10.5555/x", "10.1002/central/CN-00778158"])
def test_what_is_no_doi_is_none(text: str) -> None:
    assert parse_doi(text) is None


def test_dois_are_compared_without_case() -> None:
    assert doi_key("10.5555/ABC") == doi_key("10.5555/abc")


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("Walls, 2019. doi: 10.5555/walls.1.", "10.5555/walls.1"),
        ("see https://doi.org/10.5555/walls.1 and more", "10.5555/walls.1"),
        ("https://press.example/doi/full/10.5555/walls.1?x=1", "10.5555/walls.1"),
        ("https://press.example/doi/10.5555/walls.1/abstract", "10.5555/walls.1"),
        ("https://press.example/doi/pdf/10.5555/walls.1.pdf", "10.5555/walls.1"),
        ("doi:10.1002/central/CN-1 doi:10.5555/walls.1", "10.5555/walls.1"),
    ],
)
def test_a_doi_is_found_where_the_text_names_it(text: str, doi: str) -> None:
    assert find_doi(text) == doi


@pytest.mark.parametrize(
    "text",
    ["10.5555/walls.1", "ratio 10.5555/2", "https://library.example/central/doi/10.1002/central/CN-00778158/full"],
)
def test_without_clear_evidence_no_doi_is_found(text: str) -> None:
    assert find_doi(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "29999999",
        "PMID: 29999999",
        "29999999 [pmid]",
        "MEDLINE:29999999",
        "https://pubmed.ncbi.nlm.nih.gov/29999999/",
        "029999999",
    ],
)
def test_a_pubmed_number_is_taken_in_all_its_forms(text: str) -> None:
    assert parse_pmid(text) == "29999999"


@pytest.mark.parametrize(
    "text",
    ["", "0", "PMC29999999", "1234567890", "L2029880245", "29999999 and 3", "http://www.ncbi.nlm.nih.gov/pubmed/0"],
)
def test_what_is_no_pubmed_number_is_none(text: str) -> None:
    assert parse_pmid(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "PMC1234567",
        "pmcid: PMC1234567",
        "PMC1234567.2",
        "PMC1234567[pmcid]",
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC1234567/",
    ],
)
def test_a_pmc_number_is_taken_in_all_its_forms(text: str) -> None:
    assert parse_pmcid(text) == "PMC1234567"


def test_a_bare_number_is_no_pmc_number() -> None:
    assert parse_pmcid("1234567") is None


@pytest.mark.parametrize(
    "text", ["1999-7779", "19997779", "1999-7779 (Electronic)", "(ISSN) 1999-7779", "ISSN: 1999-7779"]
)
def test_an_issn_gets_its_hyphen(text: str) -> None:
    assert parse_issn(text) == "1999-7779"


def test_an_issn_may_end_in_x() -> None:
    assert parse_issn("2434-561x") == "2434-561X"


@pytest.mark.parametrize("text", ["1999-7774", "1999-777", "X999-7773", "", "19997779 02226669"])
def test_an_issn_with_a_wrong_check_digit_is_none(text: str) -> None:
    assert parse_issn(text) is None


@pytest.mark.parametrize(
    ("text", "isbn"),
    [("978-3-16-148410-0", "9783161484100"), ("0-306-40615-2", "0306406152"), ("0-8044-2957-X (pbk)", "080442957X")],
)
def test_an_isbn_loses_its_hyphens(text: str, isbn: str) -> None:
    assert parse_isbn(text) == isbn


@pytest.mark.parametrize(
    "text", ["978-3-16-148410-1", "0-306-40615-3", "1234567890123", "97831614841X0", "12", "X306406152"]
)
def test_an_isbn_with_a_wrong_check_digit_is_none(text: str) -> None:
    assert parse_isbn(text) is None


@pytest.mark.parametrize(
    ("text", "arxiv"),
    [
        ("2101.00001", "2101.00001"),
        ("arXiv:2101.00001v3", "2101.00001"),
        ("https://arxiv.org/pdf/2101.00001.pdf", "2101.00001"),
        ("10.48550/arXiv.2101.00001", "2101.00001"),
        ("math.GT/0309136", "math.GT/0309136"),
        ("2023.12345", None),
        ("2101.1", None),
    ],
)
def test_an_arxiv_number_has_a_month(text: str, arxiv: str | None) -> None:
    assert parse_arxiv(text) == arxiv


@pytest.mark.parametrize("text", ["0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097", "0000000218250097"])
def test_an_orcid_is_taken_in_all_its_forms(text: str) -> None:
    assert parse_orcid(text) == "0000-0002-1825-0097"


def test_an_orcid_may_end_in_x() -> None:
    assert parse_orcid("0000-0002-1694-233x") == "0000-0002-1694-233X"


@pytest.mark.parametrize("text", ["0000-0002-1825-0098", "0000-0002-1825", ""])
def test_an_orcid_with_a_wrong_check_digit_is_none(text: str) -> None:
    assert parse_orcid(text) is None
