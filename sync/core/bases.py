"""What our writes left in an item, property by property: the base by which a person's edits are told from ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sync.core import schema

# What the library keeps of an item for itself.
KEPT_BY_LIBRARY = frozenset({"key", "version", "itemType", "dateAdded", "dateModified", "inPublications"})
_SETS = ("tags", "collections")
_PLACES = ("deleted", "relations")
_EXTRA_LINE = re.compile(r"^([^:\n]+):[ \t]*(.+?)[ \t]*$", re.MULTILINE)


def satisfied(data: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an item already holds everything that a partial update wants: that update has landed before."""
    return all(
        data.get(name) == value or canonical(name, data.get(name)) == canonical(name, value)
        for name, value in wanted.items()
    )


def canonical(name: str, value: Any) -> Any:
    """The form in which two values of a property are the same to Zotero: sets for tags and collections, type 0 is no type."""
    if name == "tags":
        return {(tag["tag"].strip(), int(tag.get("type", 0))) for tag in value or ()}
    if name == "collections":
        return set(value or ())
    if name == "relations":
        return {key: {them} if isinstance(them, str) else set(them) for key, them in (value or {}).items()}
    if name == "creators":
        return [{part: text for part, text in person.items() if text} for person in value or ()]
    if name == "deleted":
        return bool(value)
    return "" if value is None else value.strip() if isinstance(value, str) else value


def rebased(
    base: Mapping[str, Any] | None,
    before: Mapping[str, Any] | None,
    answered: Mapping[str, Any],
    sent: Mapping[str, Any],
) -> dict[str, Any]:
    """The base of an item after a write of ours.

    base: the one before; None if we never wrote the item.  before: the item as it was; None if the write made it.  answered: as
    the library holds it now.  sent: the properties that we wrote. What we did not write keeps its base, so that a person's edit
    stays one; of tags and collections the base gains and loses what the write itself put in and took out.
    """
    if base is None or before is None:
        return dict(answered)
    after = ours_of(before, answered, sent)
    sets = {name: _moved(name, base, before, after) for name in _SETS if name in sent}
    return {**base, **after, **sets}


def ours_of(before: Mapping[str, Any], answered: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """What a write of ours made of the properties that it sent, without what somebody did to them at the same time."""
    return {
        name: [
            each
            for key, each in members(name, answered).items()
            if key in members(name, before) or key in members(name, sent)
        ]
        if name in _SETS
        else answered.get(name)
        for name in sent
    }


def with_taken_out(base: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The base, with what somebody else took out between two looks: what was once there and was taken out stays out."""
    emptied = {
        name: value
        for name, value in before.items()
        if value and not now.get(name) and not base.get(name) and name not in {*KEPT_BY_LIBRARY, *_SETS, *_PLACES}
    }
    for name in _SETS:
        held, are = members(name, base), members(name, now)
        lost = [each for key, each in members(name, before).items() if key not in are and key not in held]
        if lost:
            emptied[name] = [*base.get(name, ()), *lost]
    return {**base, **emptied}


def touched(base: Mapping[str, Any], now: Mapping[str, Any], ours: Collection[str] = ()) -> list[str]:
    """The properties that somebody changed since we last wrote them, in order.

    ours: keys of items that we made; a relation to one of them is our doing. Lines of Extra that Zotero moved into the field of
    that name are nobody's edit, nor is the trash: that an item lies there is its place, not its content.
    """
    moved = _moved_lines(base, now)
    names = (set(base) | set(now)) - KEPT_BY_LIBRARY - {"deleted", "relations", *moved}
    names -= {"extra"} if moved and _without(base.get("extra"), moved) == _lines(now.get("extra")) else set()
    changed = {name for name in names if canonical(name, base.get(name)) != canonical(name, now.get(name))}
    if _related(now, ours) != _related(base, ours):
        changed.add("relations")
    if base.get("itemType") != now.get("itemType"):
        changed.add("itemType")
    return sorted(changed)


def once_held(base: Mapping[str, Any] | None, name: str) -> bool:
    """Whether we once wrote this property, be it as a line of Extra: an empty one was emptied by a person."""
    if base is None:
        return False
    return bool(base.get(name)) or name in dict(_extra_fields(base))


def _moved(name: str, base: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Any]:
    """A set of the base with what a write put in and without what it took out."""
    held, were, are = (members(name, data) for data in (base, before, now))
    kept = {key: each for key, each in held.items() if key not in were or key in are}
    return list({**kept, **{key: each for key, each in are.items() if key not in were}}.values())


def members(name: str, data: Mapping[str, Any]) -> dict[Any, Any]:
    """The members of a set by what makes two of them the same."""
    several = data.get(name) or ()
    return {
        each if name == "collections" else (each["tag"].strip(), int(each.get("type") or 0)): each for each in several
    }


def _extra_fields(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines of Extra that are a field's name and its value, as Zotero reads them."""
    kind = data.get("itemType")  # a note, an attachment or an annotation has no Extra
    known = {_plain(name): name for name in schema.fields(kind)} if kind in schema.ITEM_TYPES else {}
    for found in _EXTRA_LINE.finditer(str(data.get("extra") or "")):
        name = known.get(_plain(found[1]), "")
        if name and name != "extra":
            yield name, found[2]


def _plain(name: str) -> str:
    return name.replace(" ", "").strip().lower()


def _moved_lines(base: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """Fields that hold now what stood in a line of Extra before, and no longer stands there."""
    left = dict(_extra_fields(now))
    return {
        name
        for name, value in _extra_fields(base)
        if not base.get(name) and canonical(name, now.get(name)) == value and name not in left
    }


def _without(extra: Any, moved: Collection[str]) -> list[str]:
    gone = {_plain(name) for name in moved}
    return [line for line in _lines(extra) if _plain(line.partition(":")[0]) not in gone]


def _lines(extra: Any) -> list[str]:
    return [line.strip() for line in str(extra or "").splitlines() if line.strip()]


def _related(data: Mapping[str, Any], ours: Collection[str]) -> set[tuple[str, str]]:
    """Relations that are not the ones by which our own items point at each other; a merge is a person's."""
    return {
        (predicate, uri)
        for predicate, them in (data.get("relations") or {}).items()
        for uri in ([them] if isinstance(them, str) else them)
        if predicate != "dc:relation" or uri.rpartition("/")[2] not in ours
    }
