"""A format is told by its content, and what is none is called by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import drops
from sync.core.formats import FORMATS, describe, sniff

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.ris")), ids=lambda path: path.stem)
def test_every_ris_fixture_is_known(path: Path) -> None:
    known = sniff("\n".join(line.text for line in drops.lines_of(path.read_bytes())))
    assert known
    assert known.name == "ris"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (
            '{"status": "ok", "message-type": "work-list", "message": {"items": [{"DOI": "10.5555/x", "type": "book"}]}}',
            "crossref-json",
        ),
        ("<?xml version='1.0'?>\n<PubmedArticleSet><PubmedArticle>", "pubmed-xml"),
        ("PMID- 29999999\nOWN - NLM\n", "medline"),
        ("\n\nOWN - ERIC\nTI  - Walls\n", "medline"),
        ("%0 Journal Article\n%A Moss, Ada\n", "endnote"),
        ("FN Clarivate Analytics Web of Science\nVR 1.0\nPT J\n", "isi"),
        ("PT J\nAU Moss, A\n", "isi"),
        ("TY  - JOUR\nPMID  - 29999999\nER  - \n", "ris"),
        ("TY  - JOUR\nAB  - x\nPT J\n%0 Book\nPMID- 1\nER  - \n", "ris"),
    ],
)
def test_every_format_is_known_by_its_content(head: str, name: str) -> None:
    known = sniff(head)
    assert known
    assert known.name == name


def test_every_format_has_a_name_of_its_own() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("%PDF-1.7 ...", "PDF"),
        ("PK\x03\x04...", "ZIP"),
        ("<!DOCTYPE html><html>", "web page"),
        ("\n <html lang='en'>", "web page"),
        ("@article{moss2019,\n title = {Walls}}", "BibTeX"),
        ("% comment\n@book{x,", "BibTeX"),
        ("<?xml version='1.0'?><xml><records><record><database name='x'>", "EndNote XML"),
        ("RT Journal Article\nSR Electronic\n", "RefWorks"),
        ("<?xml version='1.0'?><records/>", "XML"),
        ('[{"id": 1}]', "JSON"),
        ("Title,Authors,Year\nWalls,Moss,2019\n", "table"),
        ("Title\tAuthors\tYear\nWalls\tMoss\t2019\n", "table"),
        ("Dear all, here are the references.", "no tag of RIS"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(head: str, word: str) -> None:
    assert sniff(head) is None
    assert word in describe(head)


@pytest.mark.parametrize("head", ["", "%PDF-1.7", "@article{x,", "Dear all"])
def test_a_description_says_what_to_do_next(head: str) -> None:
    assert any(word in describe(head) for word in ("export", "right file", "empty"))
