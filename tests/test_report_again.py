"""A report that was kept is told again, and nothing in it does anything where it is shown."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest

from sync.core.record import Problem
from sync.core.reviews import Assigned
from sync.report import DropReport, RecordLine, RunReport, SeenLine, UndoneLine, as_json, as_text
from sync.report.again import from_json
from sync.report.sheets import as_csv, as_html, as_markdown

NASTY = '<script>alert("1")</script> | **x** \x1b[2J [a](javascript:b)'
LINES = (
    RecordLine(
        1, "created", "ABCD2345", "=1+1", ("pubmed",), ("doi",), (Problem("retracted", "told", 3),), ("crossref",)
    ),
    RecordLine(2, "asked", "", NASTY, reasons=("page-differs", "item:ABCD2345")),
)
DROP = DropReport(
    "@a.ris", "ab" * 32, 2, LINES, 4, "", Assigned("icbt", "embase", "Embase", "Ovid", "2026-11-20", 7), "Embase"
)
RUN = RunReport(
    "r1", "2026-11-27T08:00:00Z", 1.25, {"crossref": 1, "pubmed": 22, "zotero": 0}, (DROP,),
    away={"pubmed": "pubmed is away"}, filled=3, written=1, failure="no disk",
)  # fmt: skip
SEEN = SeenLine("ABCD2345", "A title", {"date": "2020"}, (Problem("retracted", "told"),), ours=True)
UNDONE = UndoneLine("ABCD2345", "A title", "kept", ("title",), "somebody was faster", ("date",))
REFRESH = RunReport("r2", "x", 1.0, {"pubmed": 1}, refreshed=5, seen=(SEEN,))
UNDO = RunReport("r3", "x", 1.0, {}, undoes="r1", undone=(UNDONE,))


@pytest.mark.parametrize("run", [RUN, REFRESH, UNDO])
def test_what_was_kept_of_a_run_is_the_report_again(run: RunReport) -> None:
    kept = json.loads(json.dumps(as_json(run)))
    again = from_json(kept)
    assert json.loads(json.dumps(as_json(again))) == kept
    assert as_text(again, verbose=True) == as_text(run, verbose=True)


def test_a_report_of_an_older_version_is_told_too() -> None:
    kept = as_json(RUN)
    for drop in kept["drops"]:
        del drop["review"], drop["search"], drop["database"]
    assert "2 records in = 1 created + 1 asked" in as_text(from_json(kept))


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "  ="])
def test_no_cell_is_a_formula(begin: str) -> None:
    line = RecordLine(1, "created", "ABCD2345", f"{begin}cmd|' /C calc'!A0")
    drop = DropReport(f"{begin}x.ris", "", 1, (line,))
    head, row = csv.reader(io.StringIO(as_csv(RunReport("r", "x", 1.0, {}, (drop,)))))
    cells = dict(zip(head, row, strict=True))
    assert cells["record"] == "1"
    assert all(not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    assert "cmd|" in cells["title"]


def test_csv_has_a_line_for_each_record_with_what_is_said_of_it() -> None:
    head, first, second = csv.reader(io.StringIO(as_csv(RUN)))
    assert dict(zip(head, first, strict=True)) == {
        "drop": "'@a.ris", "record": "1", "outcome": "created", "key": "ABCD2345", "title": "'=1+1", "sources": "pubmed",
        "reasons": "doi", "owed": "crossref", "problems": "retracted: told",
    }  # fmt: skip
    assert second[4] == NASTY.replace("\x1b", " ")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("run", [RUN, REFRESH, UNDO])
def test_html_holds_the_text_and_no_markup_of_it(run: RunReport) -> None:
    page = Tags()
    page.feed(as_html(run))
    assert page.tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "tr", "th", "td"}
    assert all(line.title.replace("\x1b", " ") in page.text for drop in run.drops for line in drop.records)


def test_markdown_holds_no_markup_of_a_text_and_each_row_has_its_cells() -> None:
    text = as_markdown(RUN)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "script" in line]
    assert len(rows) == 1
    assert not [mark for mark in ("<script", "**x**", "](javascript") if mark in text]
    assert rows[0].replace("\\|", "").count("|") == 10
    assert "| pubmed | 22 |" in text


def test_the_search_of_a_drop_stands_in_its_report() -> None:
    text = as_text(RUN)
    assert "search embase of the review icbt (Embase, Ovid, 2026-11-20): 2 of 7 expected records" in text
    assert r"| @a\.ris | icbt | embase | Embase | 2 |" in as_markdown(RUN)
