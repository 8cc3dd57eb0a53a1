"""How surely a work without identifier is found: recorded works, spoilt as exports spoil them, searched in the whole pool.

    pip install -e ".[dev]"
    python -m tests.bench.bench_identify WORKS.jsonl.gz [--rounds N] [--svg FILE]

WORKS: one JSON object a line, `{"work": a work as Crossref's API gives it}`. To each work the pool holds siblings that are not it: its
erratum, its second part, its abstract of a meeting, its preprint, and a work of the same people under the same title two years
later. Every spoilt record is searched twice: with its work in the pool, and without it, where whatever is taken is wrong.
Measured over the works that an export could have: a title of 30 letters, an author, a year.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sync.core.crossref_json import work_to_record
from sync.core.crossref_works import decode
from sync.core.identify import SURE, identify
from sync.core.record import Record
from sync.core.rules import SHORT
from sync.core.sketch import sketch
from sync.sources.crossref import FOUND, words
from tests.servers.crossref_index import Index

THRESHOLDS = (5.0, 6.0, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, 10.0, 11.0)
_DATES = ("issued", "published", "published-print", "published-online", "approved", "posted", "created")
_WHERE = ("volume", "issue", "page", "article-number", "container-title", "short-container-title", "ISSN")
_SMALL = frozenset("of the and for in de et".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Try:
    """One search. evidence: for what was found best.  sure: whether everything but the threshold allows to take it.

    present: whether the work was in the pool.  right: whether it is what was found.
    """

    evidence: float
    sure: bool
    present: bool
    right: bool


def main() -> None:
    """The curve, as a table and as a picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("works", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args()
    with gzip.open(given.works, "rt", encoding="utf-8") as lines:
        works = [work for line in lines if _usable(work := json.loads(line)["work"])]
    tries = [one for seed in range(given.rounds) for one in _tries(works, random.Random(seed))]
    rows = list(curve(tries))
    say = sys.stdout.write
    say(f"{len(works)} works, {len(tries)} searches, taken from evidence {SURE}\n")
    say(f"{'evidence':>8} {'recall':>8} {'precision':>10} {'with half of the works absent':>30}\n")
    for threshold, recall, present, half in rows:
        say(f"{threshold:>8} {recall:>8.4f} {present:>10.5f} {half:>30.5f}\n")
    if given.svg:
        given.svg.write_text(picture(rows), encoding="utf-8")


def curve(tries: Sequence[Try]) -> Iterator[tuple[float, float, float, float]]:
    """For each threshold: recall, precision where the work is in the pool, precision over all searches."""
    wanted = sum(one.present for one in tries)
    for threshold in THRESHOLDS:
        taken = [one for one in tries if one.sure and one.evidence >= threshold]
        right = sum(one.right for one in taken)
        wrong = sum(one.present and not one.right for one in taken)
        yield threshold, right / wanted, right / max(1, right + wrong), right / max(1, len(taken))


def picture(rows: Sequence[tuple[float, float, float, float]]) -> str:
    """Recall and precision by threshold, as SVG."""
    left, right = THRESHOLDS[0], THRESHOLDS[-1]

    def line(column: int, colour: str, name: str, low: int) -> str:
        points = [(60 + 500 * (row[0] - left) / (right - left), 320 - 280 * (row[column] - 0.6) / 0.4) for row in rows]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        text = f'<text x="570" y="{low}" fill="{colour}">{name}</text>'
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{text}'

    ticks = "".join(
        f'<text x="10" y="{324 - 280 * (share - 0.6) / 0.4:.0f}">{share:.1f}</text>'
        for share in (0.6, 0.7, 0.8, 0.9, 1.0)
    )
    marks = "".join(
        f'<text x="{52 + 500 * (at - left) / (right - left):.0f}" y="345">{at:g}</text>'
        for at in (5, 6, 7, 8, 9, 10, 11)
    )
    at = 60 + 500 * (SURE - left) / (right - left)
    lines = line(1, "#c05000", "recall", 180) + line(2, "#0060a0", "precision", 40)
    lines += line(3, "#60a0c0", "precision, half of the works absent", 60)
    frame = '<rect x="60" y="40" width="500" height="280" fill="none" stroke="#999"/>'
    cut = f'<line x1="{at}" x2="{at}" y1="40" y2="320" stroke="#999" stroke-dasharray="4"/>'
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="820" height="370" font-family="sans-serif" font-size="13">'
    return (
        f'{head}<text x="60" y="25">evidence from which a work is taken</text>{frame}{cut}{ticks}{marks}{lines}</svg>\n'
    )


def _tries(works: Sequence[Mapping[str, Any]], rng: random.Random) -> Iterator[Try]:
    index = Index([*works, *(sibling for work in works for sibling in _siblings(work, rng))], aliases=False)
    for work in works:
        spoilt = _spoilt(_record(work), rng)
        found = index.search(words(spoilt))[: FOUND + 1]
        for present in (True, False):
            shown = [one for one in found if present or one["DOI"] != work["DOI"]][:FOUND]
            best = identify(spoilt, [_record(one) for one in shown], sure=0.0, likely=0.0)
            yield Try(
                evidence=best.evidence if best else -1.0,
                sure=bool(best and best.sure),
                present=present,
                right=bool(best and shown[best.place]["DOI"] == work["DOI"]),
            )


def _record(work: Mapping[str, Any]) -> Record:
    plain = {name: value for name, value in work.items() if name != "score"}
    return work_to_record(decode(json.dumps({"status": "ok", "message-type": "work", "message": plain}).encode())[0])


def _usable(work: Mapping[str, Any]) -> bool:
    if not work.get("title") or "DOI" not in work:
        return False
    record = _record(work)
    return bool(len(sketch(record).letters) >= SHORT and record.creators and record.base("date"))


def _siblings(work: Mapping[str, Any], rng: random.Random) -> Iterator[Mapping[str, Any]]:
    title, place = work["title"][0], {"volume": str(rng.randrange(1, 90)), "page": str(rng.randrange(1, 900))}
    yield {**work, "DOI": f"{work['DOI']}.erratum", "title": [f"Correction to: {title}"], **place}
    yield {**work, "DOI": f"{work['DOI']}.part", "title": [f"{title} Part II"], "page": place["page"]}
    later = {name: _later(work[name]) for name in _DATES if name in work}
    yield {**work, "DOI": f"{work['DOI']}.later", **place, **later}
    if work["type"] == "journal-article":
        homeless = {name: value for name, value in work.items() if name not in _WHERE}
        yield {**homeless, "DOI": f"{work['DOI']}.pre", "type": "posted-content", "subtype": "preprint"}
        meeting = {"container-title": ["Proceedings of the Annual Meeting"], **place, "page": f"S{place['page']}"}
        yield {**homeless, "DOI": f"{work['DOI']}.meeting", **meeting}


def _later(date: Mapping[str, Any]) -> Mapping[str, Any]:
    parts = [[part[0] + 2, *part[1:]] if part and part[0] else part for part in date.get("date-parts", [])]
    return {**date, "date-parts": parts}


def _spoilt(record: Record, rng: random.Random) -> Record:
    """The record as an export may have it: without identifiers, and with some of what goes wrong on the way."""
    fields = {
        name: value for name, value in record.fields.items() if name not in {"DOI", "url", "abstractNote", "PMID"}
    }
    home = next((n for n in ("publicationTitle", "bookTitle", "proceedingsTitle") if n in fields), "")
    if home and rng.random() < 0.5:
        fields[home] = _abbreviated(fields[home])
    if home and rng.random() < 0.05:
        fields[home] = ""
    if rng.random() < 0.5:
        fields["ISSN"] = ""
    for name, risk in (("date", 0.1), ("volume", 0.1), ("issue", 0.2)):
        if rng.random() < risk:
            fields[name] = ""
    if "pages" in fields and rng.random() < 0.15:
        fields["pages"] = rng.choice(["", str(rng.randrange(1, 900))])
    if rng.random() < 0.2:
        fields["title"] = "".join(
            rng.choice("aeiounrtlc1") if letter.isalnum() and rng.random() < 0.02 else letter
            for letter in fields["title"]
        )
    parts = fields["title"].split()
    if len(parts) > 8 and rng.random() < 0.15:
        fields["title"] = " ".join(parts[: max(6, len(parts) * 2 // 3)])
    people = record.creators
    if rng.random() < 0.5:
        people = tuple(replace(one, first=" ".join(f"{name[0]}." for name in one.first.split())) for one in people)
    said = {name: value for name, value in fields.items() if value}
    return Record(record.item_type, fields=said, creators=people)


def _abbreviated(name: str) -> str:
    kept = [word for word in name.split() if word.lower() not in _SMALL]
    return " ".join(word if len(word) < 5 else f"{word[:4]}." for word in kept) if len(kept) > 1 else name


if __name__ == "__main__":
    main()
