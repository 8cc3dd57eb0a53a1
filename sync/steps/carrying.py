"""Batches on their way from the ledger to the library: sources, decision, writing and settling overlap, bounded and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from sync.errors import Interrupted
from sync.pipeline import Stage, flow
from sync.state.drops import DropRow
from sync.steps.asking import desk
from sync.steps.deciding import Decided
from sync.steps.enriching import Batch, gather
from sync.steps.posting import full_writes
from sync.steps.tools import BATCH, Rules, Run, Tools
from sync.steps.writing import settle

AHEAD = 16  # parts of batches under way at once


def carried(
    tools: Tools, run: Run, rules: Rules, batches: Iterable[Batch], decide_all: Callable[[Batch], Decided]
) -> Iterator[int]:
    """Carry these batches through, each part for itself; after each part, how many works it had.

    The library is written to in a thread of its own, the ledger in the caller's. What did not fill a request is left in the outbox.
    """
    with desk(tools, run, rules) as asked:
        yield from flow(
            asked.parts(batches),
            [
                Stage(asked.answered, apart=True),
                Stage(decide_all),
                Stage(full_writes(tools.library, tools.stop), apart=True),
                Stage(partial(settle, tools, run)),
            ],
            ahead=AHEAD,
        )


def gathered(tools: Tools, row: DropRow) -> Iterator[Batch]:
    """The works of a drop that have no action yet. Raises Interrupted between two batches where a stop is asked for."""
    for works in tools.ledger.records.batches(row.id, BATCH):
        if tools.stop():
            raise Interrupted("stopped between two batches; the next run goes on from here")
        yield gather(works)
