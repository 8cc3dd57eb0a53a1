"""What several accounts of one work add to each other. Every change says why; what lost is told too.

By default only what is empty is filled, and a value is replaced only by one that is provably better (`upgrades`). Which source
goes first for a field stands in a table; a policy may say otherwise, field by field. The order in which answers come does not
matter, and merging twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.core import notices, schema
from sync.core.folding import fold
from sync.core.record import Candidate, Creator, Provenance, Record
from sync.core.upgrades import better_people, upgrade

# Facts about a copy or a look-up, not about the work: they do not travel from one account to another.
NOT_FILLED = frozenset(
    {"accessDate", "archive", "archiveLocation", "callNumber", "citationKey", "extra", "libraryCatalog", "rights"}
)
# Which source is asked first for a (base) field. PubMed has whole abstracts, given names and headings that editors chose; Crossref
# what the publisher printed. All other fields: in the order of the policy.
PRECEDENCE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("abstractNote", "creators", "tags", "journalAbbreviation", "PMID", "PMCID"), ("pubmed", "crossref")
    ),
    **dict.fromkeys(
        (
            *("title", "publicationTitle", "date", "volume", "issue", "pages", "ISSN", "ISBN", "publisher", "place"),
            *("edition", "series", "conferenceName", "language", "url", "DOI"),
        ),
        ("crossref", "pubmed"),
    ),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What sources may do to a field. default, and by field name (Zotero's, `creators` and `tags` included): `keep` (nothing),
    `fill` (what is empty, and upgrades), `fill SOURCE` (that source first), `prefer SOURCE` (its value goes before the drop's).

    order: of trust, for fields that `PRECEDENCE` does not name.
    """

    default: str = "fill"
    fields: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ("pubmed", "crossref")
    _rules: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def rule(self, item_type: str, name: str) -> tuple[str, str]:
        """`keep`, `fill` or `prefer`, and the source that goes first (may be empty)."""
        known = self._rules.get((item_type, name))
        if known is None:
            said = self.fields.get(name) or self.fields.get(schema.base_field(item_type, name)) or self.default
            how, _, source = said.partition(" ")
            known = self._rules[item_type, name] = (how, source)
        return known

    def rank(self, item_type: str, name: str, source: str) -> tuple[int, str]:
        """The place of a source among those that offer this field, lowest first."""
        order = (
            self.rule(item_type, name)[1],
            *PRECEDENCE.get(schema.base_field(item_type, name), self.order),
            *self.order,
        )
        return (order.index(source) if source in order else len(order), source)


FILL = Policy()


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a merge sets: field (`creators` and `tags` included), old, new, because."""

    field: str
    old: str
    new: str
    because: Provenance


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that was offered and not taken: it says something else than the one that stands."""

    field: str
    value: str
    because: Provenance


@dataclass(frozen=True, slots=True)
class Merged:
    """A record after merging, the changes that made it, and what lost."""

    record: Record
    changes: tuple[Change, ...] = ()
    lost: tuple[Lost, ...] = ()


def absorb(survivor: Record, members: Iterable[Record], because: Provenance) -> Merged:
    """The survivor of a cluster with what the other members have and it lacks; keywords, notes and notices are joined."""
    merged = Merged(survivor)
    for member in members:
        record = merged.record
        offers = _offers([Candidate(member, because)], record.item_type)
        fields = {name: offered[0][0] for name, offered in offers.items() if not _held(record, name)}
        people = _people(member, record.item_type) if not record.creators else ()
        changes = [Change(name, "", value, because) for name, value in fields.items()]
        changes += [Change("creators", "", shown(people), because)] if people else []
        joined = replace(
            _with_fields(record, fields),
            creators=record.creators or people,
            tags=_union(record.tags, member.tags),
            notes=_union(record.notes, member.notes),
            attachments=_union(record.attachments, member.attachments),
            unmapped=_union(record.unmapped, member.unmapped),
            notices=notices.joined((*record.notices, *member.notices)),
        )
        merged = Merged(joined, (*merged.changes, *changes))
    return merged


def fill(record: Record, candidates: Sequence[Candidate], policy: Policy = FILL) -> Merged:
    """The record with what these accounts add to it, as the policy allows. Their order does not matter."""
    accounts = _ordered(candidates)
    offers = _offers(accounts, record.item_type)
    offers |= _abbreviation(record, offers, policy)
    decided = [_decided(record, name, offered, policy) for name, offered in sorted(offers.items())]
    people = _decided_people(record, accounts, policy)
    keywords = _decided_tags(record, accounts, policy)
    parts = [*decided, people[1], keywords[1]]
    changes = [change for part in parts for change in part.changes]
    fields = {change.field: change.new for part in decided for change in part.changes}
    made = replace(
        _with_fields(record, fields),
        creators=people[0],
        tags=keywords[0],
        notices=notices.joined((*record.notices, *(n for one in accounts for n in one.record.notices))),
    )
    return Merged(made, tuple(changes), tuple(lost for part in parts for lost in part.lost))


def _ordered(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The accounts in an order of their own, whatever order they came in."""
    told = {(one.because.source, one.because.how) for one in candidates}
    alone = len(told) == len(candidates)  # then it need not be looked into what they say
    return sorted(
        candidates, key=lambda one: (one.because.source, one.because.how, "" if alone else _sortable(one.record))
    )


def shown(people: Iterable[Creator]) -> str:
    """Creators on one line, for a change."""
    return "; ".join(person.name or f"{person.last}, {person.first}".rstrip(", ") for person in people)


@dataclass(frozen=True, slots=True)
class _Part:
    changes: tuple[Change, ...] = ()
    lost: tuple[Lost, ...] = ()


_NO_CHANGE = _Part()
_Offer = tuple[str, Provenance]


def _decided(record: Record, name: str, offered: Sequence[_Offer], policy: Policy) -> _Part:
    """What becomes of one field."""
    kind, old = record.item_type, _held(record, name)
    if all(new == old for new, _ in offered):
        return _NO_CHANGE
    base = schema.base_field(kind, name)
    how, preferred = policy.rule(kind, name)
    ranked = (
        sorted(offered, key=lambda offer: policy.rank(kind, name, offer[1].source)) if len(offered) > 1 else offered
    )
    value, because = old, None
    if how == "prefer":
        value, because = next(((new, why) for new, why in ranked if why.source == preferred), (old, None))
    if how != "keep" and because is None:
        for new, why in ranked:
            reason = "" if not value else upgrade(base, value, new)
            if not value or reason:
                value, because = new, replace(why, how=f"{why.how}, {reason}") if reason else why
    changed = because is not None and value != old
    lost = tuple(
        Lost(name, new, why)
        for new, why in ranked
        if new != value and _says(new) != _says(value) and not upgrade(base, new, value)
    )
    return _Part((Change(name, old, value, because),) if changed and because else (), tuple(dict.fromkeys(lost)))


def _decided_people(record: Record, accounts: Sequence[Candidate], policy: Policy) -> tuple[tuple[Creator, ...], _Part]:
    kind, old = record.item_type, record.creators
    how, preferred = policy.rule(kind, "creators")
    ranked = sorted(accounts, key=lambda one: policy.rank(kind, "creators", one.because.source))
    offers = [(people, one.because) for one in ranked if (people := _people(one.record, kind))]
    people, because = old, None
    if how == "prefer":
        people, because = next(((new, why) for new, why in offers if why.source == preferred), (old, None))
    if how != "keep" and because is None:
        for new, why in offers:
            best = better_people(people, new) if people else new
            if best != people:
                told = replace(why, how=f"{why.how}, fuller names") if people else why
                people, because = best, told
    lost = [
        Lost("creators", shown(new), why)
        for new, why in offers
        if new != people and better_people(new, people) != people
    ]
    changed = because is not None and people != old
    change = (Change("creators", shown(old), shown(people), because),) if changed and because else ()
    return people, _Part(change, tuple(dict.fromkeys(lost)))


def _decided_tags(record: Record, accounts: Sequence[Candidate], policy: Policy) -> tuple[tuple[str, ...], _Part]:
    """Keywords come from one source: two thesauri in one item help nobody."""
    how, preferred = policy.rule(record.item_type, "tags")
    ranked = sorted(accounts, key=lambda one: policy.rank(record.item_type, "tags", one.because.source))
    offers = [(one.record.tags, one.because) for one in ranked if one.record.tags]
    if how == "prefer":
        offers = [offer for offer in offers if offer[1].source == preferred] or ([] if record.tags else offers)
    if how == "keep" or not offers or (record.tags and how != "prefer") or offers[0][0] == record.tags:
        return record.tags, _Part()
    tags, because = offers[0]
    return tags, _Part((Change("tags", "; ".join(record.tags), "; ".join(tags), because),))


def _offers(accounts: Iterable[Candidate], item_type: str) -> dict[str, list[_Offer]]:
    """What each account says of the fields that this type has, under its names for them, and of identifiers."""
    offers: dict[str, list[_Offer]] = {}
    known = schema.fields(item_type)
    for one in accounts:
        said: dict[str, str] = {}
        for name, value in one.record.fields.items():
            own = schema.own_field(item_type, schema.base_field(one.record.item_type, name))
            if own and own not in NOT_FILLED:
                said[own] = value
        said |= {name: value for name, value in one.record.identifiers.items() if name not in said or name in known}
        for name, value in said.items():
            offers.setdefault(name, []).append((value, one.because))
    return offers


def _abbreviation(record: Record, offers: Mapping[str, list[_Offer]], policy: Policy) -> dict[str, list[_Offer]]:
    """A journal that the drop has only in short form is, where its full title takes that place, still its abbreviation."""
    short, name = record.fields.get("publicationTitle", ""), "journalAbbreviation"
    if not short or name not in schema.fields(record.item_type):
        return {}
    titles = _decided(record, "publicationTitle", offers.get("publicationTitle", ()), policy)
    if not any(upgrade("publicationTitle", short, change.new) for change in titles.changes):
        return {}
    return {name: [*offers.get(name, ()), (short, Provenance("drop", "publicationTitle"))]}


def _held(record: Record, name: str) -> str:
    return record.fields.get(name) or record.identifiers.get(name, "")


def _with_fields(record: Record, changed: Mapping[str, str]) -> Record:
    """The record with these fields and identifiers; an identifier that has a field stands in both."""
    known, named = schema.fields(record.item_type), _identifiers(changed)
    fields = {name: value for name, value in changed.items() if name in known}
    return replace(
        record,
        fields={**record.fields, **fields},
        identifiers={**record.identifiers, **named},
    )


def _identifiers(changed: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in changed.items() if name in _NAMED}


_NAMED = frozenset({"DOI", "PMID", "PMCID", "arXiv"})


def _people(other: Record, item_type: str) -> tuple[Creator, ...]:
    """The creators of another account, in roles that this type has."""
    roles, main = schema.creator_types(item_type), schema.primary_creator(item_type)
    theirs = schema.primary_creator(other.item_type)
    return tuple(
        person if person.creator_type in roles else replace(person, creator_type=main)
        for person in other.creators
        if person.creator_type in roles or person.creator_type == theirs
    )


def _union(one: tuple, more: tuple) -> tuple:  # type: ignore[type-arg]
    return one + tuple(value for value in more if value not in one)


def _says(value: str) -> str:
    """What two values are compared by: their letters and digits."""
    return fold(value) or value


def _sortable(record: Record) -> str:
    return repr((sorted(record.fields.items()), record.creators, record.tags, sorted(record.identifiers.items())))
