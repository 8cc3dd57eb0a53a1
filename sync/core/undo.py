"""What takes a write back: only what still is as we left it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.core.bases import KEPT_BY_LIBRARY, canonical, members, touched
from sync.core.plan import Place, Twin

_SETS = ("tags", "collections")
_HANDLED = "in the trash, and somebody touched it there"


@dataclass(frozen=True, slots=True)
class Written:
    """One write that landed: an object before and after it. before: None if the write made it."""

    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reversal:
    """What takes the writes of an object back. change: item JSON of what is to be written, empty for nothing.

    did: `trashed`, `brought-back`, `restored` (values), `kept`.  why: of what is kept.  left: properties that somebody changed since.
    """

    key: str
    did: str
    change: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    left: tuple[str, ...] = ()


def reversal(
    writes: Sequence[Written], now: Twin | None, *, ours: Collection[str], worked_on: bool, used: str
) -> Reversal:
    """How all writes that a run made to one object are taken back. writes: of one key, in order.

    now: the object as last seen, None if it is not there.  ours: keys of items that we made.  worked_on: somebody gave it notes
    or attachments.  used: what else it stands for (another drop), empty for nothing.
    """
    key, made = writes[0].key, writes[0].before is None
    if now is None or now.place is Place.GONE:
        return Reversal(key, "kept", why="deleted for good")
    stays = _stays(now, ours, worked_on=worked_on, used=used)
    if made:
        return _unmade(now, stays)
    held, base, left = dict(now.data), dict(now.base or {}), set[str]()
    for write in reversed(writes):
        left |= set(_take_back(write, held, base))
    theirs = now.place is Place.TRASH and not now.undone
    handled = theirs and canonical("deleted", held.get("deleted")) != canonical("deleted", now.data.get("deleted"))
    if (stays and now.place is Place.ALIVE) or theirs:
        held["deleted"] = now.data.get("deleted", 0)  # somebody needs it, or threw it away
    change = {name: held.get(name, _empty(name)) for name in _names(held, now.data) if name not in left}
    if not change:
        why = _HANDLED if handled else "changed since" if left else "as it was before already"
        return Reversal(key, "kept", why=why, left=tuple(sorted(left)))
    did = "restored" if "deleted" not in change else "trashed" if change["deleted"] else "brought-back"
    return Reversal(key, did, change, left=tuple(sorted(left)))


def _unmade(now: Twin, stays: str) -> Reversal:
    """An item that the run made goes to the trash, unless somebody has had a hand in it or needs it."""
    if now.place is Place.TRASH:
        return Reversal(now.key, "kept", why="in the trash already")
    if now.base and now.base.get("deleted"):
        return Reversal(now.key, "kept", why="somebody brought it back from the trash")
    return Reversal(now.key, "kept", why=stays) if stays else Reversal(now.key, "trashed", {"deleted": 1})


def _stays(now: Twin, ours: Collection[str], *, worked_on: bool, used: str) -> str:
    """Why an item must not go to the trash; empty if it may."""
    edited = touched(now.base or {}, now.data, ours)
    if edited:
        return f"changed since: {', '.join(edited)}"
    return "somebody gave it notes or files" if worked_on else used


def _take_back(write: Written, held: dict[str, Any], base: dict[str, Any]) -> Iterator[str]:
    """Put into `held` what the write replaced; the properties that somebody changed since stay, and are named.

    base: what our writes left. Where that is no longer what this write left, we took it back already, and somebody else wrote the
    same again.
    """
    before = write.before or {}
    for name in _names(before, write.after):
        if name in _SETS:
            held[name] = _exchanged(name, before, write.after, held, base)
        elif canonical(name, held.get(name)) == canonical(name, write.after.get(name)):
            if name in base and canonical(name, base[name]) != canonical(name, write.after.get(name)):
                yield name
                continue
            held[name] = base[name] = before.get(name, _empty(name))
        elif canonical(name, held.get(name)) != canonical(name, before.get(name)):
            yield name


def _exchanged(
    name: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    held: Mapping[str, Any],
    base: Mapping[str, Any],
) -> list[Any]:
    """A set without what a write put in, and with what it took out; not against who put in, or took out, the same again."""
    were, are, now, ours = (members(name, data) for data in (before, after, held, base))
    known = name in base
    kept = {key: each for key, each in now.items() if key in were or key not in are or (known and key not in ours)}
    back = {key: each for key, each in were.items() if key not in are and (key in now or not known or key not in ours)}
    return list({**kept, **back}.values())


def _names(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The properties in which two states of an object differ."""
    names = sorted((set(one) | set(other)) - KEPT_BY_LIBRARY)
    return [name for name in names if canonical(name, one.get(name)) != canonical(name, other.get(name))]


def _empty(name: str) -> Any:
    """What a property is when there is nothing in it."""
    return {"tags": [], "collections": [], "creators": [], "relations": {}, "deleted": 0}.get(name, "")
