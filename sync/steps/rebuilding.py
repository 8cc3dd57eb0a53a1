"""A drop that was worked off before the ledger was lost: noted again, with what became of each record in the library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sync.core.keys import entry_key
from sync.core.merge import Merged
from sync.core.plan import Ask, Create, Wish, plan
from sync.core.sketch import sketch
from sync.drops.old import PutAway
from sync.report import Upkeep
from sync.state.drops import DropRow
from sync.state.retries import MISSING
from sync.state.undoings import UNDONE
from sync.state.works import Work
from sync.steps import intake
from sync.steps.deciding import SAME_ENTRY, find_twins, remembered
from sync.steps.enriching import Enriched, gather
from sync.steps.tools import Rules, Run, Task, Tools

_SAID = frozenset({"created", "merged", "updated", "left", "asked", "refused"})

_CANNOT_BE_TOLD = (
    "What cannot be told from files and library: runs from before (they cannot be undone), where values of sources came from,"
    " decisions on questions, drops that were deleted or were named on the command line. Of items only empty fields will be filled."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A drop that was put away, and the rules of its inbox as they are now."""

    put_away: PutAway
    rules: Rules


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of a drop. outcomes: of its records; none for one that the ledger knew."""

    path: str
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Records that the library neither has nor says were deleted."""
        return self.outcomes.get(MISSING, 0)


def rebuild(tools: Tools, run: Run, found: Found) -> Rebuilt:
    """Note the drop as it was worked off, unless the ledger knows that it was. Call it after the library was read whole."""
    away, path = found.put_away, str(found.put_away.path)
    wish = found.rules.fingerprint(away.drop.subfolder)
    known = tools.ledger.records.find(tools.snapshot.id, away.drop.sha256, wish)
    if known and known.state in {"done", UNDONE}:
        return Rebuilt(path)
    then = replace(tools, now=lambda: datetime.fromtimestamp(away.at, UTC))
    task = Task(away.drop, found.rules, path)
    row = intake.arrive(then, run, task)
    if row.state == "reading":
        intake.note(then, task, row)
    if tools.ledger.records.get(row.id).state in {"reading", "noted"}:
        intake.cluster(then, row)
    with tools.ledger.transaction():
        outcomes = Counter(_settle_all(tools, run, found, tools.ledger.records.get(row.id)))
        tools.ledger.records.close_drop_if_done(row.id)
        if outcomes[MISSING]:
            tools.ledger.records.may_come_again(row.id)
    return Rebuilt(path, outcomes)


def told_of(tools: Tools, rebuilt: Sequence[Rebuilt]) -> Upkeep:
    """What came of it all, for a person and for a program."""
    new = [one for one in rebuilt if one.outcomes]
    outcomes = sum((Counter(one.outcomes) for one in new), Counter[str]())
    lines = [f"{tools.library.identity}: {len(new)} drops noted again, {len(rebuilt) - len(new)} known or empty"]
    lines += [f"  {number:>6}  {_WORDS.get(outcome, outcome)}" for outcome, number in sorted(outcomes.items())]
    lines += [
        f"  {one.path}: {one.missing} records are not in the library, nor among what was deleted there; to bring them in, move the"
        " file into the inbox once more"
        for one in new
        if one.missing
    ]
    facts = {
        "drops": [{"path": one.path, "outcomes": dict(one.outcomes)} for one in new],
        "known": len(rebuilt) - len(new),
    }
    return Upkeep("rebuild", (*lines, _CANNOT_BE_TOLD), facts)


_WORDS = {MISSING: "not in the library", "gone": "deleted or in the trash, and left so"}


def _settle_all(tools: Tools, run: Run, found: Found, row: DropRow) -> list[str]:
    """Every record of the drop gets its end; how each ended."""
    told = _told(found.put_away, row.entries)
    ended: list[str] = []
    followers: set[int] = set()  # each ends with its survivor, which stands before it
    for line in list(tools.ledger.records.rows(row.id)):
        state, outcome = tools.ledger.records.outcome(line.id)
        if state == "follows" or line.id in followers:
            continue
        if outcome == "unreadable":
            ended.append(outcome)
            continue
        work = tools.ledger.records.work(line.id)
        followers.update(member.id for member in work.members)
        asked = "asked" if state == "done" else ""
        ended += [_settle(tools, run, found.rules, work, told.get(line.ordinal, {}), asked)] * (1 + len(work.members))
    return ended


def _settle(tools: Tools, run: Run, rules: Rules, work: Work, told: Mapping[str, Any], asked: str) -> str:
    """The end of one record: by its own key in the library, else as its report says, else as matching sees it."""
    records = tools.ledger.records
    key = _own(tools, rules, work)
    if key:
        records.settle(work.id, key, "created", work.reasons)
        return "created" if tools.snapshot.lives(key) else "gone"
    if asked:
        return asked  # as it was noted
    outcome, ended_in, reasons = _as_told(tools, told) or _as_matched(tools, run, rules, work)
    records.settle(work.id, ended_in, "left" if outcome == MISSING else outcome, reasons)
    return outcome


def _own(tools: Tools, rules: Rules, work: Work) -> str:
    """The key of the item that this entry became; empty if the library never had one. What we wrote into it is assumed to be
    what the drop says: whatever else stands there is a person's.
    """
    key = entry_key(tools.library.identity, work.sha256, work.anchor)
    twin = tools.snapshot.twin(key, SAME_ENTRY)
    if twin is None:
        return ""
    remembered(tools, _known(work).record, _wish(rules), twin)
    return key


def _as_told(tools: Tools, told: Mapping[str, Any]) -> tuple[str, str | None, tuple[str, ...]] | None:
    """What the report beside the drop says, if it says how the record ended and the library knows the item."""
    outcome, key, reasons = told.get("outcome"), told.get("key"), tuple(map(str, told.get("reasons", ())))
    if outcome not in _SAID or "same-drop" in reasons:
        return None
    if key and not tools.snapshot.known(key):
        return None
    if outcome in {"created", "merged", "updated", "left"} and not key:
        return None
    return str(outcome), key or None, reasons


def _as_matched(tools: Tools, run: Run, rules: Rules, work: Work) -> tuple[str, str | None, tuple[str, ...]]:
    """What a run would find now, without doing it."""
    known = _known(work)
    _, twins = find_twins(tools, run, known, sketch(known.record), {})
    action = plan(known.record, twins, _wish(rules))
    if isinstance(action, Create):
        return MISSING, None, (MISSING,)
    if isinstance(action, Ask):
        return "asked", None, (*action.reasons, f"item:{action.key}")
    return "left", action.key, (*action.reasons, "rebuilt")


def _known(work: Work) -> Enriched:
    """The work as the drop has it, with what its cluster adds."""
    return Enriched(Merged(gather([work]).records[work.id]), (), (), (), (), work)


def _wish(rules: Rules) -> Wish:
    """What the inbox wants, without its collection: that would have to be made."""
    return Wish((), rules.tags, rules.keywords)


def _told(away: PutAway, entries: int) -> dict[int, Mapping[str, Any]]:
    """The lines of the report by ordinal; none where it speaks of another number of records."""
    lines = away.lines()
    return {line["ordinal"]: line for line in lines if "ordinal" in line} if len(lines) == entries else {}
