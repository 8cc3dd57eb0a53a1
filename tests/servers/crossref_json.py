"""A work of ours as Crossref's JSON has it. Field names and shapes: recorded answers of 2022 to 2026."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any

from tests.servers.works import Author, Work


def work_json(work: Work) -> dict[str, Any]:
    """One item of Crossref's works; empty fields are absent, as with Crossref."""
    earliest = min(filter(None, (work.online, work.date)))
    made = {
        "indexed": _stamp((2026, 4, 1)),
        "reference-count": len(work.cites),
        "publisher": work.publisher,
        "issue": work.issue,
        "content-domain": {"domain": [], "crossmark-restriction": False},
        "short-container-title": [work.abbreviation] if work.abbreviation else [],
        "published-print": _partial(work.date),
        "abstract": _jats(work) if "crossref" in work.abstract_in else "",
        "DOI": work.doi,
        "type": work.kind,
        "created": _stamp(earliest),
        "page": work.pages,
        "article-number": work.article_number,
        "source": "Crossref",
        "is-referenced-by-count": 0,
        "title": [work.title],
        "prefix": work.doi.split("/")[0],
        "volume": work.volume,
        "author": [_person(author, first=n == 0) for n, author in enumerate(work.authors)],
        "member": "99999",
        "published-online": _partial(work.online),
        "reference": [
            {"key": f"ref{n}", "doi-asserted-by": "publisher", "DOI": doi} for n, doi in enumerate(work.cites, 1)
        ],
        "container-title": [work.journal] if work.journal else [],
        "language": work.language,
        "deposited": _stamp(earliest),
        "score": 0.0,
        "resource": {"primary": {"URL": f"https://example.org/articles/{work.doi.split('/')[-1]}"}},
        "issued": _partial(earliest),
        "references-count": len(work.cites),
        "journal-issue": {"issue": work.issue, "published-print": _partial(work.date)} if work.issue else {},
        "URL": f"https://doi.org/{work.doi.lower()}",
        "ISSN": [work.issn] if work.issn else [],
        "issn-type": [{"value": work.issn, "type": "electronic"}] if work.issn else [],
        "published": _partial(earliest),
    }
    return {name: value for name, value in {**made, **work.crossref}.items() if value not in ("", [], {}, None)}


def _partial(date: tuple[int, ...]) -> dict[str, Any]:
    return {"date-parts": [list(date)]} if date else {}


@cache
def _stamp(date: tuple[int, ...]) -> dict[str, Any]:
    whole = year, month, day = (*date, 1, 1)[:3]
    moment = dt.datetime(year, month, day, tzinfo=dt.UTC)
    return {
        "date-parts": [list(whole)],
        "date-time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timestamp": int(moment.timestamp()) * 1000,
    }


def _person(author: Author, *, first: bool) -> Mapping[str, Any]:
    place: dict[str, Any] = {"sequence": "first" if first else "additional", "affiliation": []}
    if author.group:
        return {"name": author.group, **place}
    orcid = {"ORCID": f"https://orcid.org/{author.orcid}", "authenticated-orcid": False} if author.orcid else {}
    suffix = {"suffix": author.suffix} if author.suffix else {}
    return {**orcid, "given": author.short_first, "family": author.last, **suffix, **place}


def _jats(work: Work) -> str:
    """JATS as publishers deposit it: a heading of its own, sections with titles, indented lines between."""
    if not work.abstract:
        return ""
    gap = "\n               "
    parts = [
        f"<jats:sec>{gap}   <jats:title>{label}</jats:title>{gap}   <jats:p>{escape(text, quote=False)}</jats:p>{gap}</jats:sec>"
        if label
        else f"<jats:p>{escape(text, quote=False)}</jats:p>"
        for label, text in work.abstract
    ]
    return gap.join(["<jats:title>Abstract</jats:title>", *parts])
