"""What was published about a work: retractions, expressions of concern, corrections, newer versions, the article of a preprint.

Crossref: `update-to` and `updated-by` (https://www.crossref.org/documentation/register-maintain-records/maintaining-your-metadata/registering-updates/),
the types as its REST API sends them; the same event may come twice, from the publisher and from Retraction Watch. PubMed:
CommentsCorrections and publication types (https://www.nlm.nih.gov/bsd/policy/errata.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sync.core import text
from sync.core.record import Notice, Problem

# Kind of a notice, the gravest first: the tag that an item gets, the code of its problem in a report (none: not told), and how it is told.
_KINDS: Mapping[str, tuple[str, str, str]] = {
    "retraction": ("Retracted", "retracted", "was retracted"),
    "partial-retraction": ("Partly retracted", "partly-retracted", "was partly retracted"),
    "concern": ("Expression of concern", "expression-of-concern", "has an expression of concern"),
    "correction": ("Corrected", "corrected", "was corrected"),
    "published": ("", "preprint-published", "is a preprint that was published"),
    "new-version": ("", "", "has a newer version"),
    "preprint": ("", "", "has a preprint"),
    "version-of": ("", "", "is a version of another work"),
    "retraction-of": ("", "retraction-notice", "is itself the retraction of another work"),
    "concern-of": ("", "", "is itself an expression of concern about another work"),
    "correction-of": ("", "", "is itself a correction of another work"),
}
NOTED = ("retraction", "partial-retraction", "concern", "correction", "published")  # kinds that an item gets a note of

CROSSREF: Mapping[str, str] = {
    **dict.fromkeys(("retraction", "removal", "withdrawal"), "retraction"),
    "partial_retraction": "partial-retraction",
    "expression_of_concern": "concern",
    **dict.fromkeys(("correction", "erratum", "corrigendum", "addendum", "clarification"), "correction"),
    **dict.fromkeys(("new_version", "new_edition"), "new-version"),
}
CROSSREF_RELATIONS: Mapping[str, str] = {
    "is-preprint-of": "published",
    "has-preprint": "preprint",
    "is-version-of": "version-of",
}
PUBMED: Mapping[str, str] = {
    **dict.fromkeys(("RetractionIn", "RetractedandRepublishedIn"), "retraction"),
    "PartialRetractionIn": "partial-retraction",
    "ExpressionOfConcernIn": "concern",
    **dict.fromkeys(("ErratumIn", "CorrectedandRepublishedIn"), "correction"),
    "UpdateIn": "new-version",
    **dict.fromkeys(("RetractionOf", "PartialRetractionOf"), "retraction-of"),
    "ExpressionOfConcernFor": "concern-of",
    "ErratumFor": "correction-of",
}
_OF = {"retraction": "retraction-of", "partial-retraction": "retraction-of", "concern": "concern-of"}
_ORDER = tuple(_KINDS)


def about(kind: str) -> str:
    """The kind of a work that is itself a notice of this kind: `retraction` is `retraction-of`; empty for a new version."""
    return "" if kind == "new-version" else _OF.get(kind, "correction-of")


def joined(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Each event once, the gravest kind first, in whatever order they came.

    Two accounts are of one event if they are of one kind and share a DOI or a PMID, or if they are the only two of their kind
    and one names a DOI, the other a PMID; an account that names neither says no more than any other of its kind.
    """
    events: list[Notice] = []
    for notice in sorted(notices, key=_place):
        same = next((n for n, event in enumerate(events) if _same(event, notice)), None)
        if same is None:
            events.append(notice)
        else:
            events[same] = _both(events[same], notice)
    return tuple(sorted(_paired(events), key=_place))


def tags(notices: Iterable[Notice]) -> tuple[str, ...]:
    """The tags of an item about which these notices were published."""
    kinds = {notice.kind for notice in notices}
    return tuple(tag for kind, (tag, _, _) in _KINDS.items() if kind in kinds and tag)


def problems(notices: Sequence[Notice]) -> Iterator[Problem]:
    """What a report has to say of them, one for each kind."""
    for kind, (_, code, told) in _KINDS.items():
        mine = [_cited(notice) for notice in notices if notice.kind == kind] if code else []
        if mine:
            where = "; ".join(filter(None, mine))
            yield Problem(code, f"the work {told}{f': {where}' if where else ''}")


def note(notice: Notice) -> str:
    """A notice as the HTML of a child note."""
    head = _KINDS[notice.kind][2]
    parts = [f"<p>This work {head}{f' ({notice.date})' if notice.date else ''}.</p>"]
    if notice.said:
        parts.append(f"<p>{text.safe_html(notice.said)}</p>")
    url = f"https://doi.org/{notice.doi}" if notice.doi else f"https://pubmed.ncbi.nlm.nih.gov/{notice.pmid}/"
    if notice.doi or notice.pmid:
        link = text.safe_html(url)
        parts.append(f'<p><a href="{link}">{link}</a></p>')
    return "".join(parts)


def identities(notice: Notice) -> tuple[str, ...]:
    """What tells this event from others about the same work: by DOI, by PMID, as far as they are known; at least one."""
    named = [f"{notice.kind}:{name}" for name in (notice.doi, notice.pmid) if name]
    return tuple(named) or (notice.kind,)


def _place(notice: Notice) -> tuple[int, int, bool, str, str, str, str]:
    """Those that name most come first, so that the others of their event join them."""
    named = bool(notice.doi) + bool(notice.pmid)
    return (_ORDER.index(notice.kind), -named, not notice.doi, notice.doi, notice.pmid, notice.date, notice.said)


def _same(one: Notice, other: Notice) -> bool:
    if one.kind != other.kind:
        return False
    both = [(mine, theirs) for mine, theirs in ((one.doi, other.doi), (one.pmid, other.pmid)) if mine and theirs]
    return all(mine == theirs for mine, theirs in both) if both else not (other.doi or other.pmid)


def _paired(events: Sequence[Notice]) -> Iterator[Notice]:
    """The events, those two of a kind put together of which one has only a DOI and the other only a PMID."""
    for kind in dict.fromkeys(event.kind for event in events):
        mine = [event for event in events if event.kind == kind]
        dois, pmids = ([event for event in mine if event.doi], [event for event in mine if event.pmid])
        if len(mine) == 2 and len(dois) == len(pmids) == 1:
            yield _both(*mine)
        else:
            yield from mine


def _both(one: Notice, other: Notice) -> Notice:
    return replace(
        one,
        doi=one.doi or other.doi,
        pmid=one.pmid or other.pmid,
        date=min(filter(None, (one.date, other.date)), default=""),
        said=max(one.said, other.said, key=lambda said: (len(said), said)),
    )


def _cited(notice: Notice) -> str:
    named = f"DOI {notice.doi}" if notice.doi else f"PMID {notice.pmid}" if notice.pmid else ""
    return f"{named} ({notice.date})" if named and notice.date else named or notice.date
