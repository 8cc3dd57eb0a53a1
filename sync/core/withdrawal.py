"""What takes a whole drop back from one object: all of it where nobody else has a hand in it, else only where the drop filed it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sync.core.bases import members
from sync.core.plan import Place, Twin
from sync.core.undo import Reversal, Written, reversal


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
