"""What shall happen to a record: exactly one of Create, Update, Leave, Ask. Decided here, done elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from sync.core import notices, schema
from sync.core.bases import canonical, once_held
from sync.core.items import from_item, keyword_tags, new_item, to_item
from sync.core.keywords import Keywords
from sync.core.record import Record
from sync.core.upgrades import better_people, upgrade
from sync.core.verdicts import Match, Verdict


class Place(Enum):
    """Where an item is: alive, in the trash, or deleted for good."""

    ALIVE = "alive"
    TRASH = "trash"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Twin:
    """An item of the library that may be the record's work.

    data: its item JSON as last seen.  base: what the library answered to our last write of it; None if we never wrote it.
    made: whether zotdrop created it.  undone: we took our own write back, and nobody touched it since: it lies in
    the trash, or went when that was emptied.
    """

    key: str
    version: int
    data: Mapping[str, Any]
    base: Mapping[str, Any] | None
    place: Place
    match: Match
    made: bool = False
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What the inbox wants for its items: collection keys, tags to add, what becomes of keywords."""

    collections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    keywords: str | Keywords = "automatic"
    restore: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    """A new item: its data, and the HTML of its child notes."""

    data: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """A partial update computed from `version`; `foreign` if zotdrop did not make the item."""

    key: str
    version: int
    data: Mapping[str, Any]
    reasons: tuple[str, ...]
    foreign: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing to do: the item stands there already, or a person took it away."""

    key: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A person has to decide; `key` is the item in question."""

    key: str
    reasons: tuple[str, ...]


Action: TypeAlias = Create | Update | Leave | Ask

_PLACES = (Place.ALIVE, Place.TRASH, Place.GONE)


def plan(record: Record, twins: Sequence[Twin], wish: Wish) -> Action:
    """The one action for this record, given the items that share an identifier or the entry's own key with it.

    A living twin goes before a trashed one, that before a deleted one; of several the oldest.
    """
    same = [twin for twin in twins if twin.match.verdict is Verdict.SAME]
    if same:
        return _for_twin(record, min(same, key=_rank), wish)
    doubtful = [twin for twin in twins if twin.match.verdict is Verdict.UNSURE and twin.place is Place.ALIVE]
    if doubtful:
        twin = min(doubtful, key=_rank)
        return Ask(twin.key, twin.match.reasons)
    return create(record, wish)


def create(record: Record, wish: Wish) -> Create:
    """The record as a new item with its notes."""
    item = new_item(record, collections=wish.collections, tags=wish.tags, keywords=wish.keywords)
    return Create(item, record.notes)


def update(record: Record, twin: Twin, wish: Wish) -> dict[str, Any]:
    """What of the record may go into an item that exists: item JSON of the changed properties only.

    Empty fields are filled, unless it was a person who emptied them; what we wrote and nobody has touched since gives way to a
    value that is provably better; the inbox's collection and tags are added, unless a person took them away.
    """
    offers = _offers(record, twin)
    changed = {name: value for name, value in offers.items() if _may_fill(name, twin) or _may_better(name, value, twin)}
    collections = _additions(wish.collections, twin, "collections")
    if collections:
        changed["collections"] = [*twin.data.get("collections", ()), *collections]
    tags = _new_tags(record, twin, wish)
    if tags:
        changed["tags"] = [*twin.data.get("tags", ()), *tags]
    return changed


def _for_twin(record: Record, twin: Twin, wish: Wish) -> Action:
    if twin.place is not Place.ALIVE:
        return _for_tombstone(record, twin, wish)
    changed = update(record, twin, wish)
    if not changed:
        return Leave(twin.key, (*twin.match.reasons, "in-library"))
    return Update(twin.key, twin.version, changed, twin.match.reasons, foreign=not twin.made)


def _for_tombstone(record: Record, twin: Twin, wish: Wish) -> Action:
    """What a person took away stays away, unless that is overruled; what our own undo put into the trash comes back."""
    if not (wish.restore or twin.undone):
        return Leave(twin.key, (*twin.match.reasons, "in-trash" if twin.place is Place.TRASH else "deleted-by-person"))
    if twin.place is Place.GONE:
        return create(record, wish)
    changed = {"deleted": 0, **update(record, twin, wish)}
    return Update(twin.key, twin.version, changed, (*twin.match.reasons, "restored"), foreign=not twin.made)


def _rank(twin: Twin) -> tuple[int, str, str]:
    return (_PLACES.index(twin.place), str(twin.data.get("dateAdded", "")), twin.key)


def _offers(record: Record, twin: Twin) -> dict[str, Any]:
    """The record's values under the field names of the twin's type."""
    kind = twin.data["itemType"]
    offers = {schema.own_field(kind, schema.base_field(record.item_type, name)): v for name, v in record.fields.items()}
    known = schema.fields(kind)
    offers |= {name: value for name, value in record.identifiers.items() if name in known}
    named: dict[str, Any] = {name: value for name, value in offers.items() if name}
    if record.creators and kind == record.item_type:
        named["creators"] = to_item(record)["creators"]
    named.pop("extra", None)  # written once, when the item is made: Zotero moves its lines about
    return named


def _may_fill(name: str, twin: Twin) -> bool:
    """Empty in the library, and not emptied by a person after we filled it."""
    if canonical(name, twin.data.get(name)) not in ("", [], None):
        return False
    return not once_held(twin.base, name)


def _may_better(name: str, value: Any, twin: Twin) -> bool:
    """Whether the item still holds what we wrote there, and `value` says the same more fully."""
    held = twin.data.get(name)
    if not twin.made or twin.base is None or canonical(name, held) != canonical(name, twin.base.get(name)):
        return False
    if name != "creators":
        return isinstance(held, str) and bool(upgrade(schema.base_field(twin.data["itemType"], name), held, value))
    mine, theirs = (
        from_item({"itemType": twin.data["itemType"], "creators": people}).creators for people in (held, value)
    )
    return better_people(mine, theirs) == theirs != mine


def _additions(wanted: Sequence[str], twin: Twin, name: str) -> list[str]:
    held, before = set(twin.data.get(name, ())), set((twin.base or {}).get(name, ()))
    return [key for key in wanted if key not in held and key not in before]


def _new_tags(record: Record, twin: Twin, wish: Wish) -> list[dict[str, Any]]:
    """The inbox's tags, what notices say of an item of ours, and the record's keywords where the item has no tag and never had."""
    held = {tag["tag"] for tag in twin.data.get("tags", ())}
    before = {tag["tag"] for tag in (twin.base or {}).get("tags", ())}
    told = notices.tags(record.notices) if twin.made else ()
    wanted: list[dict[str, Any]] = [{"tag": tag} for tag in dict.fromkeys((*wish.tags, *told))]
    if not held and not before:
        wanted += [tag for tag in keyword_tags(record.tags, wish.keywords) if tag["tag"] not in set(wish.tags)]
    return [tag for tag in wanted if tag["tag"] not in held and tag["tag"] not in before]
