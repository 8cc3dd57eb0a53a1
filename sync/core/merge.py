"""What several accounts of one work add to each other: only what is empty is filled, and every change says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sync.core import schema
from sync.core.record import Candidate, Creator, Provenance, Record

# Facts about a copy or a look-up, not about the work: they do not travel from one account to another.
NOT_FILLED = frozenset(
    {"accessDate", "archive", "archiveLocation", "callNumber", "citationKey", "extra", "libraryCatalog", "rights"}
)


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a merge sets: field (`creators` and `tags` included), old, new, because."""

    field: str
    old: str
    new: str
    because: Provenance


@dataclass(frozen=True, slots=True)
class Merged:
    """A record after merging, and the changes that made it."""

    record: Record
    changes: tuple[Change, ...] = ()


def absorb(survivor: Record, members: Iterable[Record], because: Provenance) -> Merged:
    """The survivor of a cluster with what the other members have and it lacks; keywords and notes are joined."""
    merged = Merged(survivor)
    for member in members:
        merged = _fill(merged, member, because)
        record = merged.record
        joined = replace(
            record,
            tags=_union(record.tags, member.tags),
            notes=_union(record.notes, member.notes),
            attachments=_union(record.attachments, member.attachments),
            unmapped=_union(record.unmapped, member.unmapped),
        )
        merged = replace(merged, record=joined)
    return merged


def fill(record: Record, candidates: Sequence[Candidate]) -> Merged:
    """The record with its empty fields filled, from the first candidate that knows each. Filling twice changes nothing."""
    merged = Merged(record)
    for candidate in candidates:
        merged = _fill(merged, candidate.record, candidate.because)
        merged = _fill_tags(merged, candidate.record.tags, candidate.because)
    return merged


def _fill(merged: Merged, other: Record, because: Provenance) -> Merged:
    record = merged.record
    new = _new_fields(record, other)
    people = () if record.creators else _people(other, record.item_type)
    names = {name: value for name, value in other.identifiers.items() if name not in record.identifiers}
    changes = [Change(name, "", value, because) for name, value in new.items()]
    changes += [Change("creators", "", "; ".join(_shown(person) for person in people), because)] if people else []
    changes += [Change(name, "", value, because) for name, value in names.items() if name not in new]
    record = replace(
        record,
        fields={**record.fields, **new},
        creators=record.creators or people,
        identifiers={**record.identifiers, **names},
    )
    return Merged(record, (*merged.changes, *changes))


def _new_fields(record: Record, other: Record) -> dict[str, str]:
    """What `other` knows and `record` has a place for but no value, under the names of `record`'s type."""
    new = {}
    for name, value in other.fields.items():
        own = schema.own_field(record.item_type, schema.base_field(other.item_type, name))
        if own and own not in NOT_FILLED and own not in record.fields and own not in record.identifiers:
            new[own] = value
    known = schema.fields(record.item_type)
    for name, value in other.identifiers.items():
        if name in known and name not in record.fields and name not in record.identifiers:
            new.setdefault(name, value)
    return new


def _fill_tags(merged: Merged, tags: tuple[str, ...], because: Provenance) -> Merged:
    if merged.record.tags or not tags:
        return merged
    change = Change("tags", "", "; ".join(tags), because)
    return Merged(replace(merged.record, tags=tags), (*merged.changes, change))


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


def _shown(person: Creator) -> str:
    return person.name or f"{person.last}, {person.first}".rstrip(", ")
