"""A run taken back: planned from the journal, written through the outbox, again until nothing is left to take back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sync.core.batches import batched
from sync.core.undo import Reversal, Written, reversal
from sync.core.verdicts import Match, Verdict
from sync.libraries.base import BATCH
from sync.state.withdrawals import drop_of
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
    found = taken_back(
        tools, run, partial(_planned, tools, undoes, written), partial(tools.ledger.undoings.record_of, undoes)
    )
    if not tools.dry:
        _note(tools, run, undoes, found)
    return tuple(Undone(one, title_of(tools, written[one.key])) for one in found.values())


def taken_back(
    tools: Tools, run: Run, plan: Callable[[], list[Reversal]], record_of: Callable[[str], int]
) -> dict[str, Reversal]:
    """What became of each object, by key: planned and written again until nothing is left to take back. A dry run only plans."""
    found: dict[str, Reversal] = {}
    for _ in range(1 if tools.dry else PASSES):
        planned = plan()
        found |= {one.key: one for one in planned if not _stands(found.get(one.key), one)}
        todo = [one for one in planned if one.change]
        if tools.dry or not todo:
            break
        _write(tools, run, record_of, todo)
    else:
        found |= {one.key: Reversal(one.key, "kept", why="the library did not take it") for one in todo}
    return found


def _stands(before: Reversal | None, now: Reversal) -> bool:
    """Whether what was found of an object before still holds: nothing is left to be done of it, and nobody came in between."""
    return (
        before is not None and not now.change and (now.why in _DONE or bool(before.change and now.left == before.left))
    )


def _planned(tools: Tools, undoes: str, written: Mapping[str, Sequence[Written]]) -> list[Reversal]:
    """What is still to be taken back, and what is left as it is. A note goes and stays with the item that was made with it."""
    ours = tools.snapshot.made()
    return [_one(tools, undoes, key, written[key], ours) for key in written if not goes_with_parent(written, key)]


def goes_with_parent(written: Mapping[str, Sequence[Written]], key: str) -> bool:
    """Whether an object is a note or a file of an item that was made with it: the trash takes and gives them together."""
    parent = written.get(str(written[key][0].after.get("parentItem") or ""))
    return parent is not None and parent[0].before is None


def _one(tools: Tools, undoes: str, key: str, writes: Sequence[Written], ours: set[str]) -> Reversal:
    now = tools.snapshot.twin(key, _ITSELF) or tools.snapshot.child(key, _ITSELF)
    drop = tools.ledger.undoings.used(tools.snapshot.id, key, undoes)
    worked_on = tools.snapshot.worked_on(key)
    return reversal(writes, now, ours=ours, worked_on=worked_on, used=f"{drop} brought it, too" if drop else "")


def _write(tools: Tools, run: Run, record_of: Callable[[str], int], todo: Sequence[Reversal]) -> None:
    for part in batched(todo, BATCH):
        with tools.ledger.transaction():
            for one in part:
                now = tools.snapshot.twin(one.key, _ITSELF) or tools.snapshot.child(one.key, _ITSELF)
                record = record_of(one.key)
                if now and not tools.outbox.busy(one.key):
                    tools.outbox.put(run.id, record, one.key, now.version, one.change, undo=True)
        drain(tools, run)


def _note(tools: Tools, run: Run, undoes: str, found: Mapping[str, Reversal]) -> None:
    """The records whose items are gone, or have come back, with that."""
    row = tools.ledger.undoings.find(undoes)
    if row is not None and drop_of(row.undoes) is not None:
        withdrawals = tools.ledger.withdrawals
        withdrawals.ask_again(undoes)
        tools.ledger.undoings.bring_back(
            undoes, [key for key in withdrawals.taken(undoes) if tools.snapshot.lives(key)]
        )
    elif row is not None and row.undoes:
        tools.ledger.undoings.bring_back(undoes, [key for key in found if tools.snapshot.lives(key)])
    else:
        taken = [one.key for one in found.values() if one.did in {"trashed", "restored"} or one.why in _DONE]
        tools.ledger.undoings.take_back(run.id, undoes, taken)


def title_of(tools: Tools, writes: Sequence[Written]) -> str:
    """What an object is called, now or when it was written."""
    data = tools.snapshot.data(writes[0].key) or writes[0].after
    return str(data.get("title") or data.get("caseName") or data.get("subject") or "")
