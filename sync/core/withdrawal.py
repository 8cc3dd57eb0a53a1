"""What takes a whole drop back from one object: all of it where nobody else has a hand in it, else only where the drop filed it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.core.bases import canonical, members
from sync.core.plan import Place, Twin
from sync.core.undo import Reversal, Written, reversal

_SETS = ("tags", "collections")


@dataclass(frozen=True, slots=True)
class Step:
    """One write to an object. undo: it took another one back.  own: it is one of the drop in question, not of one taken back before."""

    write: Written
    undo: bool
    own: bool


@dataclass(frozen=True, slots=True)
class History:
    """What a drop, and those that had the object before it and were taken back since, wrote to one object, in order.

    untold: what the drop itself wrote is not known any more.  dark: what one of the others wrote is not.
    """

    steps: tuple[Step, ...] = ()
    untold: bool = False
    dark: bool = False

    @property
    def own(self) -> list[Written]:
        """What the drop wrote."""
        return [step.write for step in self.steps if step.own and not step.undo]


def in_force(steps: Sequence[Step]) -> list[Written]:
    """The writes of which something is still ours: without what was taken back since. What a taking back brought again counts anew."""
    kept: list[Written] = []
    for step in steps:
        if step.undo:
            kept = [*(_less(one, step.write) for one in kept), *_brought(step.write, kept)]
        else:
            kept.append(step.write)
    return kept


def _less(write: Written, back: Written) -> Written:
    """A write without the values and members that `back` took out. That an object was made stays true."""
    after, before = dict(write.after), write.before
    for name in _SETS:
        if name in after:
            gone = set(members(name, back.before or {})) - set(members(name, back.after))
            gone -= set(members(name, before or {}))
            after[name] = [each for key, each in members(name, after).items() if key not in gone]
    if before is None:
        return Written(write.key, None, after)
    over = {name for name in back.after if name not in _SETS and _differs(name, write.after, back.after)}
    return Written(
        write.key,
        {name: value for name, value in before.items() if name not in over},
        {name: value for name, value in after.items() if name not in over},
    )


def _brought(back: Written, kept: Sequence[Written]) -> Iterator[Written]:
    """What a taking back put in that none of the writes before it had replaced: it took back a taking back."""
    before = back.before or {}
    after: dict[str, Any] = {}
    for name, value in back.after.items():
        if name in _SETS:
            after[name] = [*members(name, before).values(), *_new(name, back)]
        elif not any(
            one.before is not None and name in one.after and _differs(name, one.after, back.after) for one in kept
        ):
            after[name] = value
    if after:
        yield Written(back.key, {name: before[name] for name in after if name in before}, after)


def _new(name: str, write: Written) -> list[Any]:
    added = _added(name, write)
    return [each for key, each in members(name, write.after).items() if key in added]


def _differs(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(canonical(name, one.get(name)) != canonical(name, other.get(name)))


def withdrawal(
    writes: Sequence[Written],
    now: Twin | None,
    *,
    ours: Collection[str],
    worked_on: bool,
    used: str,
    tags: Collection[str],
) -> Reversal:
    """How what a drop wrote into one object is taken back. writes: those of the drop, in order; the rest as for `reversal`.

    used: another drop that has the item: then values and tags stay, and it keeps at least one collection.  tags: those that the inbox
    adds; with its collections they are how an item that somebody works with belongs to the drop.
    """
    whole = reversal(writes, now, ours=ours, worked_on=worked_on, used=used)
    stays = whole.did == "kept" and writes[0].before is None
    if now is None or now.place is not Place.ALIVE or not (used or stays):
        return whole
    change = dict(_memberships(writes, now.data, used=bool(used), tags=tags))
    if not change:
        return Reversal(now.key, "kept", why=used or whole.why)
    return Reversal(now.key, "restored", change, left=whole.left)


def _memberships(
    writes: Sequence[Written], held: Mapping[str, Any], *, used: bool, tags: Collection[str]
) -> Iterator[tuple[str, list[Any]]]:
    """The collections, and unless another drop has the item the tags, that are left without those of the drop."""
    for name in ("collections",) if used else ("collections", "tags"):
        added = {key for write in writes for key in _added(name, write) if name == "collections" or key[0] in tags}
        are = members(name, held)
        left = [each for key, each in are.items() if key not in added]
        if len(left) < len(are) and (left or not used):
            yield name, left


def _added(name: str, write: Written) -> set[Any]:
    """What a write put into a set."""
    return set(members(name, write.after)) - set(members(name, write.before or {}))
