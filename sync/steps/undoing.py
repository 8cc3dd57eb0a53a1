"""A run taken back: planned from the journal, written through the outbox, again until nothing is left to take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sync.core.match import Match, Verdict
from sync.core.undo import Reversal, Written, reversal
from sync.libraries.base import BATCH
from sync.steps.tools import Run, Tools
from sync.steps.writing import drain

PASSES = 5  # times that what somebody changed meanwhile is looked at again
_ITSELF = Match(Verdict.SAME, ("same-item",))
_DONE = frozenset({"in the trash already", "as it was before already"})


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one object of a run that was taken back, and what it is called."""

    reversal: Reversal
    title: str


def undo(tools: Tools, run: Run, undoes: str) -> tuple[Undone, ...]:
    """Take back what the run `undoes` wrote to this library, but for what somebody has changed since. A dry one only says what."""
    written = tools.outbox.written(undoes)
    found: dict[str, Reversal] = {}
    for _ in range(1 if tools.dry else PASSES):
        planned = _planned(tools, undoes, written)
        found |= {one.key: one for one in planned if not _stands(found.get(one.key), one)}
        todo = [one for one in planned if one.change]
        if tools.dry or not todo:
            break
        _write(tools, run, undoes, todo)
    else:
        found |= {one.key: Reversal(one.key, "kept", why="the library did not take it") for one in todo}
    if not tools.dry:
        _note(tools, run, undoes, found)
    return tuple(Undone(one, _title(tools, written[one.key])) for one in found.values())


def _stands(before: Reversal | None, now: Reversal) -> bool:
    """Whether what was found of an object before still holds: nothing is left to be done of it, and nobody came in between."""
    return (
        before is not None and not now.change and (now.why in _DONE or bool(before.change and now.left == before.left))
    )


def _planned(tools: Tools, undoes: str, written: Mapping[str, Sequence[Written]]) -> list[Reversal]:
    """What is still to be taken back, and what is left as it is. A note goes and stays with the item that was made with it."""
    ours = tools.snapshot.made()
    together = {key for key, writes in written.items() if writes[0].after.get("parentItem") in written}
    return [_one(tools, undoes, key, written[key], ours) for key in written if key not in together]


def _one(tools: Tools, undoes: str, key: str, writes: Sequence[Written], ours: set[str]) -> Reversal:
    now = tools.snapshot.twin(key, _ITSELF) or tools.snapshot.child(key, _ITSELF)
    drop = tools.ledger.undoings.used(tools.snapshot.id, key, undoes)
    worked_on = tools.snapshot.worked_on(key)
    return reversal(writes, now, ours=ours, worked_on=worked_on, used=f"{drop} brought it, too" if drop else "")


def _write(tools: Tools, run: Run, undoes: str, todo: Sequence[Reversal]) -> None:
    walk = iter(todo)
    while part := list(islice(walk, BATCH)):
        with tools.ledger.transaction():
            for one in part:
                now = tools.snapshot.twin(one.key, _ITSELF) or tools.snapshot.child(one.key, _ITSELF)
                record = tools.ledger.undoings.record_of(undoes, one.key)
                if now and not tools.outbox.busy(one.key):
                    tools.outbox.put(run.id, record, one.key, now.version, one.change, undo=True)
        drain(tools, run)


def _note(tools: Tools, run: Run, undoes: str, found: Mapping[str, Reversal]) -> None:
    """The records whose items are gone, or have come back, with that."""
    row = tools.ledger.undoings.find(undoes)
    if row is not None and row.undoes:
        tools.ledger.undoings.bring_back(undoes, [key for key in found if tools.snapshot.lives(key)])
    else:
        taken = [one.key for one in found.values() if one.did in {"trashed", "restored"} or one.why in _DONE]
        tools.ledger.undoings.take_back(run.id, undoes, taken)


def _title(tools: Tools, writes: Sequence[Written]) -> str:
    data = tools.snapshot.data(writes[0].key) or writes[0].after
    return str(data.get("title") or data.get("caseName") or data.get("subject") or "")
