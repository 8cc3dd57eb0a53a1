"""How fast the records of a drop are told apart, beside bib-dedupe on the same records.

    pip install -e ".[dev,bench]"
    python -m tests.bench.bench_matching COUNT ...

The records are invented; every fourth work is there a second time, as another database exports it: without DOI, with the short name of
the journal, initials, and no issue. bib-dedupe is run on one processor, as we are.
"""

from __future__ import annotations

import contextlib
import gc
import io
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace

from sync.core.clusters import clusters, groups
from sync.core.record import Creator, Record
from sync.core.rings import no_rings
from sync.core.sketch import sketch
from tests.bench.tables import Line, Table
from tests.servers.works import make_works

SECOND = 4  # every so many works is there twice
PEER_UP_TO = 10_000  # records; above, bib-dedupe is left out


def records(count: int) -> list[Record]:
    """So many records, a fifth of them second ones."""
    works = make_works(count * SECOND // (SECOND + 1) + 1, seed=44)
    found: list[Record] = []
    for number, work in enumerate(works):
        people = tuple(Creator("author", last=one.last, first=one.first) for one in work.authors if not one.group)
        fields = {
            "title": work.plain_title,
            "publicationTitle": work.journal,
            "date": str(work.date[0]),
            "volume": work.volume,
            "issue": work.issue,
            "pages": work.pages or work.article_number,
            "abstractNote": work.whole_abstract,
        }
        one = Record("journalArticle", fields, people, identifiers={"DOI": work.doi})
        found.append(one)
        if number % SECOND == 0:
            short = tuple(Creator("author", last=each.last, first=each.first[:1]) for each in people)
            other = {**fields, "publicationTitle": work.abbreviation, "issue": "", "title": work.plain_title.upper()}
            found.append(replace(one, fields=other, creators=short, identifiers={}))
    return found[:count]


def table(counts: Sequence[int], *, peer_up_to: int = PEER_UP_TO) -> Table:
    """Processor time for each size; bib-dedupe's on the same records up to some size."""
    lines: list[Line] = []
    _theirs(records(20))  # imports are not counted
    for count in counts:
        drop = records(count)
        ours, found = _ours(drop)
        line: Line = {"records": count, "zotdrop s": ours, "us a record": ours / count * 1e6, "found": found}
        if count <= peer_up_to:
            theirs, matched = _theirs(drop)
            line |= {"bib-dedupe s": theirs, "ratio": theirs / ours, "bib-dedupe found": matched}
        lines.append(line)
    return Table("matching", "Matching, processor time", tuple(lines), "us a record", ("records",))


def _ours(drop: Sequence[Record]) -> tuple[float, int]:
    gc.collect()
    with no_rings():  # as a run does it
        began = time.process_time()
        sketches = {number: sketch(record) for number, record in enumerate(drop)}
        found = clusters(sketches, groups(sketches))
        return time.process_time() - began, len(found.followers)


def _theirs(drop: Sequence[Record]) -> tuple[float, int]:
    from bib_dedupe.bib_dedupe import block, match, prep
    from pandas import DataFrame

    names = {"title": "title", "journal": "publicationTitle", "year": "date", "volume": "volume"}
    names |= {"number": "issue", "pages": "pages", "abstract": "abstractNote"}
    rows = [
        {
            "ID": str(number),
            "ENTRYTYPE": "article",
            "author": " and ".join(f"{person.last}, {person.first}" for person in record.creators),
            "doi": record.identifiers.get("DOI", ""),
            **{theirs: record.fields.get(ours, "") for theirs, ours in names.items()},
        }
        for number, record in enumerate(drop)
    ]
    frame = DataFrame(rows)
    gc.collect()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        began = time.process_time()
        matched = match(block(prep(frame, cpu=1), cpu=1), cpu=1)
        return time.process_time() - began, int((matched["duplicate_label"] == "duplicate").sum())


if __name__ == "__main__":
    sys.stdout.write(table([int(word) for word in sys.argv[1:]] or [1_000, 10_000]).text())
