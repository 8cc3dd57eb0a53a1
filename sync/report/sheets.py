"""A report for other programs: Markdown, HTML and CSV, in which nothing that came from a file does anything. Pure."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.core.record import Problem
from sync.report import OUTCOMES, DropReport, RunReport
from sync.report.words import printable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a cell that begins so is a formula to spreadsheets
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~^$])")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a caption and a head."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def as_csv(report: RunReport) -> str:
    """One line for each record (of a second look: for each item, of an undo: for each object); every cell is text to a spreadsheet."""
    table = _main(report)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.head)
    writer.writerows([_defused(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def as_markdown(report: RunReport) -> str:
    """The whole report as Markdown tables; marks in texts are escaped, and so is markup."""
    lines = [f"# {_marked(_title(report))}", ""]
    lines += [f"{_marked(line)}\n" for line in _facts(report)]
    for table in _tables(report):
        lines += [f"## {_marked(table.caption)}", "", _pipes(table.head), _pipes(["---"] * len(table.head), raw=True)]
        lines += [*(_pipes(row) for row in table.rows), ""]
    return "\n".join(lines)


def as_html(report: RunReport) -> str:
    """The whole report as a page of its own: no script, no style and no picture from elsewhere, every text escaped."""
    title = html.escape(_title(report))
    body = [f"<h1>{title}</h1>", *(f"<p>{html.escape(line)}</p>" for line in _facts(report))]
    for table in _tables(report):
        body += [f"<h2>{html.escape(table.caption)}</h2>", "<table>", _row("th", table.head)]
        body += [*(_row("td", row) for row in table.rows), "</table>"]
    head = f'<meta charset="utf-8"><title>{title}</title><style>td,th{{text-align:left;vertical-align:top;padding:.2em .6em}}</style>'
    return "\n".join(["<!DOCTYPE html>", f'<html lang="en"><head>{head}</head><body>', *body, "</body></html>"])


FORMATS: Mapping[str, Callable[[RunReport], str]] = {"markdown": as_markdown, "html": as_html, "csv": as_csv}


def _title(report: RunReport) -> str:
    return f"Run {report.run} of {report.started}"


def _facts(report: RunReport) -> list[str]:
    facts = [f"It took {report.seconds:.1f} s and {'changed the library' if report.changed else 'changed nothing'}."]
    facts += ["Dry run: nothing was written."] if report.dry else []
    facts += [f"Stopped: {printable(report.failure)}"] if report.failure else []
    facts += [printable(f"{service}: {why}") for service, why in report.away.items()]
    return facts


def _tables(report: RunReport) -> list[Table]:
    requests = tuple((service, str(number)) for service, number in report.requests.items())
    found = [Table("Requests", ("service", "requests"), requests)]
    if report.drops:
        found.append(
            Table("Drops", ("drop", "review", "search", "database", "records", *OUTCOMES), _drops(report.drops))
        )
    return [*found, _main(report)]


def _main(report: RunReport) -> Table:
    """The table in which every record, or object, has its row."""
    if report.undoes:
        rows = ((one.key, one.title, one.did, " ".join(one.fields), one.why) for one in report.undone)
        return _table(f"Taken back of {report.withdrawn or report.undoes}", "key title did fields why", rows)
    if report.refreshed is not None:
        seen = ((one.key, one.title, " ".join(one.changes), _told(one.problems)) for one in report.seen)
        return _table("Items looked at again", "key title changes problems", seen)
    lines = (
        (
            *(drop.path, str(line.ordinal), line.outcome, line.key, line.title),
            *(" ".join(names) for names in (line.sources, line.reasons, line.owed)),
            _told(line.problems),
        )
        for drop in report.drops
        for line in drop.records
    )
    return _table("Records", "drop record outcome key title sources reasons owed problems", lines)


def _drops(drops: Iterable[DropReport]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(
            printable(cell)
            for cell in (
                *(drop.path, drop.assigned.review, drop.assigned.search, drop.assigned.database or drop.database),
                *(str(number) for number in (drop.entries, *drop.outcomes.values())),
            )
        )
        for drop in drops
    )


def _table(caption: str, head: str, rows: Iterable[tuple[str, ...]]) -> Table:
    return Table(caption, tuple(head.split()), tuple(tuple(printable(cell) for cell in row) for row in rows))


def _told(problems: Iterable[Problem]) -> str:
    return "; ".join(f"{one.code}: {one.message}" if one.message else one.code for one in problems)


def _defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell


def _marked(text: str) -> str:
    return html.escape(_MARKS.sub(r"\\\1", text), quote=False)


def _pipes(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else _marked(cell) for cell in cells)} |"


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
