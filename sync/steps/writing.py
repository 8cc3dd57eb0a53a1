"""The outbox goes to the library, 50 objects at a time, and every answer is noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.core.bases import ours_of, satisfied
from sync.core.plan import Place, update
from sync.core.record import Problem
from sync.core.verdicts import Match, Verdict
from sync.errors import ConfigFault, Interrupted, Outage, ZotdropError
from sync.libraries.base import BATCH, Answer, Conflict, Library, Receipt, Refusal, Write
from sync.state.outbox import Post
from sync.steps.mending import tell_what_is_gone, tried_again
from sync.steps.routing import later_wish
from sync.steps.tools import Run, Tools


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent and answered; `fault` is what kept the rest from being sent (it stays in the outbox)."""

    pairs: tuple[tuple[Post, Answer], ...] = ()
    fault: ZotdropError | None = None
    works: int = 0


def send(library: Library, stop: Callable[[], bool], posts: Sequence[Post], works: int = 0) -> Sent:
    """Write these objects in order. A world that breaks in the middle does not take the answers before it away."""
    pairs: list[tuple[Post, Answer]] = []
    for first in range(0, len(posts), BATCH):
        batch = posts[first : first + BATCH]
        if stop():
            return Sent(tuple(pairs), Interrupted("stopped between two writes; the next run goes on from here"), works)
        try:
            answers = library.write([Write(post.key, post.version, post.data) for post in batch])
        except (Outage, ConfigFault, Interrupted) as fault:
            return Sent(tuple(pairs), fault, works)
        pairs += zip(batch, answers, strict=True)
    return Sent(tuple(pairs), None, works)


def settle(tools: Tools, run: Run, sent: Sent) -> int:
    """Note the answers, all in one transaction; then raise what stopped the sending, if anything did. The works so settled."""
    with tools.ledger.transaction():
        for post, answer in sent.pairs:
            if isinstance(answer, Receipt):
                _landed(tools, run, post, answer)
            elif isinstance(answer, Conflict):
                _conflict(tools, run, post, answer)
            else:
                _refused(tools, run, post, answer)
        for record in dict.fromkeys(record for post, _ in sent.pairs for record in _concerned(tools, post)):
            tools.ledger.records.landed(record)
    if sent.fault:
        raise sent.fault
    return sent.works


def drain(tools: Tools, run: Run) -> None:
    """Send what waits in the outbox, as it is."""
    while posts := tools.outbox.pending(BATCH):
        tools.outbox.sending(posts)
        settle(tools, run, send(tools.library, tools.stop, posts))


def _leave_deleted(tools: Tools, post: Post) -> None:
    """A create whose answer was lost, and whose item somebody deleted before we looked again, is not sent once more."""
    parent = str(post.data.get("parentItem") or "")
    if post.version or not any(map(_is_gone(tools), filter(None, (post.key, parent)))):
        return
    tools.outbox.answered(post, "deleted", "it had landed, and somebody deleted it")
    if not parent:
        tools.ledger.records.planned(post.record, post.key, "left", ("deleted-by-person",))
    tools.ledger.records.landed(post.record)


def leave_deleted(tools: Tools) -> None:
    """Of what an earlier run left in the outbox, take out what had landed and somebody has deleted since."""
    with tools.ledger.transaction():
        for post in tools.outbox.pending():
            _leave_deleted(tools, post)


def _is_gone(tools: Tools) -> Callable[[str], bool]:
    return lambda key: tools.snapshot.deleted(key) or tools.snapshot.buried(key)


def _landed(tools: Tools, run: Run, post: Post, receipt: Receipt) -> None:
    before = tools.snapshot.data(post.key) or tools.snapshot.base(post.key) or {} if post.version else None
    tools.outbox.answered(post, "done")
    tell_what_is_gone(tools, post, receipt)
    _journal(tools, post, before, receipt)
    tools.snapshot.landed(
        post.key, receipt.version, receipt.data, made=post.version == 0, sent=post.data, found=receipt.found
    )
    run.written += 1
    if not post.undo and tools.ledger.records.outcome(post.record)[0] == "done":
        run.filled += 1


def _journal(tools: Tools, post: Post, before: Mapping[str, Any] | None, receipt: Receipt) -> None:
    """Of an item that we made all; of one that we changed what we wrote, not what others did to it meanwhile."""
    if before is None:
        tools.outbox.journal(post, tools.instant(), None, receipt.data)
        return
    held = {name: before[name] for name in post.data if name in before}
    tools.outbox.journal(post, tools.instant(), held, ours_of(before, receipt.data, post.data))


def _conflict(tools: Tools, run: Run, post: Post, conflict: Conflict) -> None:
    """Somebody was faster: see what stands there now, and let the record be decided anew."""
    if conflict.theirs is not None and satisfied(conflict.theirs, post.data):
        _landed(
            tools, run, post, Receipt(post.key, conflict.version, conflict.theirs, found=bool(post.data.get("deleted")))
        )
        return
    run.conflicts += 1
    tools.outbox.answered(post, "replanned", "changed in between")
    if conflict.theirs is None:
        tools.snapshot.take([], gone=[post.key])
    else:
        tools.snapshot.take([(post.key, conflict.version, conflict.theirs)])
        if post.tried or conflict.resent:
            _doubt(tools, post)
    if post.undo:
        return  # what takes back a run plans again until nothing is left
    if tools.ledger.records.outcome(post.record)[0] == "done":
        _fill_again(tools, run, post)
    else:
        for record in _concerned(tools, post):
            tools.ledger.records.again(record)


def _doubt(tools: Tools, post: Post) -> None:
    """A change that lost its answer met an item that somebody has changed since: it is not brought again against their will."""
    tools.snapshot.may_have_landed(post.key, post.data, undo=post.undo)
    if post.undo:
        return
    told = "the answer to a change was lost, and somebody has changed the item since: what is not there now is not brought again"
    tools.ledger.records.add_problem(post.record, Problem("answer-lost", told))


def _fill_again(tools: Tools, run: Run, post: Post) -> None:
    """A later filling met a change: what is still empty in the item as it is now goes into the outbox once more."""
    twin = tools.snapshot.twin(tools.snapshot.heir(post.key), Match(Verdict.SAME))
    if twin is None or twin.place is not Place.ALIVE:
        return
    changed = update(tools.ledger.records.work(post.record).record, twin, later_wish(tools, post.record))
    if changed:
        tools.outbox.put(run.id, post.record, twin.key, twin.version, changed)


def _refused(tools: Tools, run: Run, post: Post, refusal: Refusal) -> None:
    """The library will not have it, in no form that is known: the record says so, unless it was only a child of it."""
    if tried_again(tools, run, post, refusal):
        return
    tools.outbox.answered(post, "refused", f"{refusal.code} {refusal.message}")
    if post.undo:
        return
    own = tools.ledger.records.work(post.record).key == post.key
    code = f"{'item' if own else post.data.get('itemType', 'note')}-refused-{refusal.code}"
    tools.ledger.records.add_problem(post.record, Problem(code, f"the library says: {refusal.message}"))
    if not own:
        return
    if post.version == 0:
        tools.snapshot.forget(post.key)
    others = tools.ledger.records.sharing(post.key, post.record)
    for record in dict.fromkeys([*_concerned(tools, post), *others]):
        tools.ledger.records.settle(
            record, None if post.version == 0 else post.key, "refused", (f"refused-{refusal.code}",)
        )


def _concerned(tools: Tools, post: Post) -> list[int]:
    """The records that a write is for: of a change those that meet in the item."""
    others = tools.ledger.records.awaiting(post.key, post.record) if post.version and not post.undo else []
    return [post.record, *others]
