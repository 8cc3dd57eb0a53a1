"""A whole drop taken back: planned from what its records wrote, written through the outbox, undoable like a run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sync.core.undo import Reversal
from sync.core.verdicts import Match, Verdict
from sync.core.withdrawal import History, in_force, withdrawal
from sync.steps.tools import Rules, Run, Tools
from sync.steps.undoing import Undone, goes_with_parent, taken_back, title_of

_ITSELF = Match(Verdict.SAME, ("same-item",))
_NOT_TAKEN = "the library did not take it"
_LET_GO = "was let go of, as [retention] journal says"
_UNTOLD = f"what was written to it {_LET_GO}"
_DARK = f"what an earlier drop wrote to it {_LET_GO}"


def withdraw(tools: Tools, run: Run, drop: int) -> tuple[Undone, ...]:
    """Take back what a drop brought, but for what somebody has changed since and what other drops have too. A dry one only says what.

    What the library refuses, or what is not known any more, stays, and the drop stands with it: it can be taken back again.
    """
    withdrawals = tools.ledger.withdrawals
    written = withdrawals.written(drop)
    plan = partial(_planned, tools, drop, written)
    found = taken_back(tools, run, plan, partial(withdrawals.record_of, drop))
    if not tools.dry:
        withdrawals.take_back(run.id, drop, [one.key for one in found.values() if one.why in {_NOT_TAKEN, _UNTOLD}])
    return tuple(Undone(one, _title(tools, one.key, written[one.key])) for one in found.values())


def _planned(tools: Tools, drop: int, written: Mapping[str, History]) -> list[Reversal]:
    """What is still to be taken back. A note goes and stays with the item that was made with it."""
    ours = tools.snapshot.made()
    rules = tools.rules_of(tools.ledger.records.get(drop).inbox) or Rules("")
    found = []
    steps = {key: [step.write for step in history.steps] for key, history in written.items() if history.steps}
    for key, history in written.items():
        if history.untold:
            found.append(Reversal(key, "kept", why=_UNTOLD))
            continue
        used = _used(tools, drop, key, history)
        writes = history.own if used else in_force(history.steps)
        if not writes or goes_with_parent(steps, key):
            continue
        now = tools.snapshot.twin(key, _ITSELF) or tools.snapshot.child(key, _ITSELF)
        worked_on = tools.snapshot.worked_on(key)
        found.append(withdrawal(writes, now, ours=ours, worked_on=worked_on, used=used, tags=rules.tags))
    return found


def _used(tools: Tools, drop: int, key: str, history: History) -> str:
    """Why the item is not this drop's alone; empty if it is: then what drops that were taken back before left in it goes, too."""
    other = tools.ledger.withdrawals.used(drop, key)
    return f"{other} brought it, too" if other else _DARK if history.dark else ""


def _title(tools: Tools, key: str, history: History) -> str:
    if history.steps:
        return title_of(tools, [step.write for step in history.steps])
    return str((tools.snapshot.data(key) or {}).get("title") or "")
