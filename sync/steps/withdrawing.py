"""A whole drop taken back: planned from what its records wrote, written through the outbox, undoable like a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sync.core.match import Match, Verdict
from sync.core.undo import Reversal, Written
from sync.core.withdrawal import withdrawal
from sync.steps.tools import Rules, Run, Tools
from sync.steps.undoing import Undone, goes_with_parent, taken_back, title_of

_ITSELF = Match(Verdict.SAME, ("same-item",))


def withdraw(tools: Tools, run: Run, drop: int) -> tuple[Undone, ...]:
    """Take back what a drop brought, but for what somebody has changed since and what other drops have too. A dry one only says what."""
    withdrawals = tools.ledger.withdrawals
    written = withdrawals.written(drop)
    plan = partial(_planned, tools, drop, written)
    found = taken_back(tools, run, plan, partial(withdrawals.record_of, drop))
    if not tools.dry:
        withdrawals.take_back(run.id, drop)
    return tuple(Undone(one, title_of(tools, written[one.key])) for one in found.values())


def _planned(tools: Tools, drop: int, written: Mapping[str, Sequence[Written]]) -> list[Reversal]:
    """What is still to be taken back. A note goes and stays with the item that was made with it."""
    ours = tools.snapshot.made()
    rules = tools.rules_of(tools.ledger.records.get(drop).inbox) or Rules("")
    found = []
    for key, writes in written.items():
        if goes_with_parent(written, key):
            continue
        now = tools.snapshot.twin(key, _ITSELF) or tools.snapshot.child(key, _ITSELF)
        other = tools.ledger.withdrawals.used(drop, key)
        used = f"{other} brought it, too" if other else ""
        worked_on = tools.snapshot.worked_on(key)
        found.append(withdrawal(writes, now, ours=ours, worked_on=worked_on, used=used, tags=rules.tags))
    return found
