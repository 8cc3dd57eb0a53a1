"""The whole journey of a drop, as a table of contents: intake, clustering, limits, enriching, deciding, writing, report."""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sync import drops
from sync.core.batches import batched
from sync.core.plan import Wish
from sync.errors import Interrupted, LimitReached, Outage, Stuck, UsageFault, ZotdropError
from sync.libraries.dry import DryLibrary
from sync.logs import drop_is, run_is
from sync.report import DropReport, RecordLine, RunReport, SeenLine, as_json
from sync.state.drops import DropRow
from sync.state.undoings import UNDONE
from sync.state.withdrawals import named
from sync.state.works import Row
from sync.steps import intake, retrying
from sync.steps.attaching import upload_files
from sync.steps.carrying import carried, gathered
from sync.steps.deciding import Decided, decide, decide_owed
from sync.steps.enriching import Batch, defer, gather
from sync.steps.filing import put_away
from sync.steps.looking import look
from sync.steps.rebuilding import Found, rebuild, told_of
from sync.steps.refreshing import Refreshed, askable, refresh
from sync.steps.resuming import broken_off, lines_of, resume
from sync.steps.routing import path_of, wish_of
from sync.steps.tools import BATCH, Rules, Run, Task, Tools, instant
from sync.steps.undoing import undo
from sync.steps.withdrawing import withdraw
from sync.steps.writing import drain, leave_deleted

log = logging.getLogger("zotdrop.run")

_STAYS_BACK = "it was taken back, and a retry does not bring it again; who wants it again moves the file into the inbox"

PASSES = 5  # times that works are looked at again because their twin was being written, or somebody was faster


def sync_drops(tools: Tools, tasks: Iterable[Task], *, kind: str = "sync") -> RunReport:
    """Work off these drops, one after the other, and what earlier runs left open. Every fault ends in the report."""
    began = tools.now()
    run = Run(new_run_id(began))
    run_is(run.id)
    tools.ledger.start_run(run.id, kind, instant(began))
    reports: list[DropReport] = []
    failure: ZotdropError | None = None
    left, owing = list(tasks), frozenset[int]()
    try:
        owing = _finish_earlier(tools, run)
        reports += _carry_out_decisions(tools, run)
    except ZotdropError as fault:
        failure = fault
    one_alone: ZotdropError | None = None
    for task in left:
        drop_is(task.name)
        try:
            reports.append(sync_drop(tools, run, task, before=failure))
        except Interrupted as fault:
            failure = fault
            reports.append(_report_as_it_stands(tools, task, fault))
            break
        except (UsageFault, Stuck) as fault:  # of this file; the others go on
            one_alone = one_alone or fault
            reports.append(_report_as_it_stands(tools, task, fault))
        except ZotdropError as fault:
            failure = failure or fault
            reports.append(_report_as_it_stands(tools, task, fault))
    if failure is None:
        try:
            _fill_owed(tools, run, left, owing)
        except ZotdropError as fault:
            failure = fault
    since = instant(began - timedelta(days=tools.keep_days)) if tools.keep_days else ""
    tools.ledger.answers.prune(since, int(tools.cache_mb * 1_000_000))
    report = _run_report(tools, run, began, reports, failure or one_alone)
    tools.ledger.end_run(run.id, tools.instant(), as_json(report))
    return report


def refresh_library(tools: Tools, foreign: Sequence[str], *, kind: str = "refresh") -> RunReport:
    """Look at the items of a library again: retractions, corrections, what was missing when they were made.

    foreign: the sources that may be asked for items that zotdrop did not make; for these, changes are proposed and not made.
    Answers of the last day count: a refresh that was stopped goes on where it was.
    """
    tools = replace(tools, cache_days=min(tools.cache_days, 1.0), absent_days=min(tools.absent_days, 1.0))

    def look_again(run: Run, told: dict[str, Any]) -> None:
        looked = Refreshed()
        told.update(refreshed=0)
        owing = _finish_earlier(tools, run)
        groups = askable(tools, foreign)
        defer(tools, run, Counter(name for names, keys in groups.items() for name in names for _ in keys))
        for names, keys in groups.items():
            one = refresh(tools, run, Rules("", sources=names, title_search=False), keys)
            looked = Refreshed(looked.items + one.items, looked.seen + one.seen)
            told.update(refreshed=looked.items, seen=_told(looked))
        _fill_owed(tools, run, [], owing)

    return _one_task(tools, kind, look_again)


def see_library(tools: Tools, *, kind: str = "snapshot") -> RunReport:
    """Read what changed in the library, and send what an earlier run left to be written."""
    return _one_task(tools, kind, lambda run, _told: _catch_up(tools, run))


def retry_drops(tools: Tools, tasks: Sequence[Task]) -> RunReport:
    """Try again what the library refused, what could not be read, and the drops in held/, which these tasks are."""
    try:
        known = retrying.known(tools, tasks)
        retrying.release(tools)
    except ZotdropError:
        known = []  # what is wrong shows again, and is told, in the run itself
    files = {task.drop.path for task, _ in known}
    report = sync_drops(tools, [task for task in tasks if task.drop.path not in files], kind="retry")
    for task, row in known:
        now = tools.ledger.records.get(row.id)
        if now.state == "done" and not tools.dry:
            put_away(task, drop_report(tools, task, now))
    return report


def undo_run(tools: Tools, undoes: str, *, kind: str = "undo") -> RunReport:
    """Take back what a run wrote to this library, but for what somebody has changed since.

    One that is broken off stays open: the next run on this library goes on with it.
    """

    def take_back(run: Run, told: dict[str, Any]) -> None:
        told.update(undoes=undoes)
        _catch_up(tools, run)
        told.update(undone=lines_of(undo(tools, run, undoes)))

    return _one_task(tools, kind, take_back, undoes=undoes)


def withdraw_drop(tools: Tools, drop: int, kind: str, instead: int | None = None) -> RunReport:
    """Take back what a drop brought to this library. instead: the drop that stands for it from now on (`kind` is supersede then).

    One that is broken off stays open: the next run on this library goes on with it.
    """

    def take_back(run: Run, told: dict[str, Any]) -> None:
        told.update(undoes=named(drop), withdrawn=tools.ledger.records.get(drop).path)
        _catch_up(tools, run)
        told.update(undone=lines_of(withdraw(tools, run, drop)))
        if instead is not None and not tools.dry:
            tools.ledger.overlaps.answer(instead, "superseded")

    return _one_task(tools, kind, take_back, undoes=named(drop))


def rebuild_library(tools: Tools, found: Sequence[Found]) -> RunReport:
    """Note drops that were worked off before, with what became of them in the library, which is read and not written."""

    def note_again(run: Run, told: dict[str, Any]) -> None:
        tools.snapshot.doubt()
        look(tools)
        told.update(upkeep=told_of(tools, [rebuild(tools, run, one) for one in found]))

    return _one_task(replace(tools, library=DryLibrary(tools.library)), "rebuild", note_again)


def _one_task(tools: Tools, kind: str, work: Callable[[Run, dict[str, Any]], None], *, undoes: str = "") -> RunReport:
    """A run that reads no drop. work: puts into its second argument what the report shall say of it."""
    began = tools.now()
    run = Run(new_run_id(began))
    run_is(run.id)
    tools.ledger.start_run(run.id, kind, instant(began), undoes=undoes)
    failure: ZotdropError | None = None
    told: dict[str, Any] = {}
    try:
        work(run, told)
    except ZotdropError as fault:
        failure = fault
    report = replace(_run_report(tools, run, began, [], failure), **told)
    if not (undoes and failure):
        tools.ledger.end_run(run.id, tools.instant(), as_json(report))
    return report


def sync_drop(tools: Tools, run: Run, task: Task, *, before: ZotdropError | None = None) -> DropReport:
    """The journey of one drop. `before`: what went wrong already, so that the drop is only noted and waits."""
    row = intake.arrive(tools, run, task)
    if intake.stays_back(tools, task, row):
        return replace(drop_report(tools, task, row), message=_STAYS_BACK)
    if row.state in {"done", UNDONE}:
        return _finish(tools, task, row, again=True)
    if row.state == "reading":
        intake.note(tools, task, row)
    if tools.ledger.records.get(row.id).state in {"reading", "noted"}:
        intake.cluster(tools, row)
    if before is not None:
        return drop_report(tools, task, tools.ledger.records.get(row.id))
    _check_limits(tools, run, task, row)
    _work_off(tools, run, task, row)
    upload_files(tools, run, row.id)
    overlap = tools.ledger.overlaps.note(row.id) if tools.ledger.records.close_drop_if_done(row.id) else None
    return _finish(tools, task, tools.ledger.records.get(row.id), overlap=overlap.says if overlap else "")


def drop_report(tools: Tools, task: Task, row: DropRow, *, again: bool = False) -> DropReport:
    """How the records of a drop stand now. `again`: it was worked off before, and this time nothing was done."""
    lines = tuple(_line(found, again=again) for found in tools.ledger.records.rows(row.id))
    message = "" if lines or row.state == "reading" else intake.verdict(task.drop.path, task.rules.encoding)
    entries = len(lines) if row.state == "reading" else row.entries
    route, done = tools.ledger.routes.of(row.id), row.state == "done"
    return DropReport(
        task.name, row.sha256, entries, lines, row.gap_lines, message, route.assigned, route.database, done
    )


def new_run_id(now: datetime) -> str:
    """A name for a run that sorts by time: `20261123T080000-3fa9`."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def _catch_up(tools: Tools, run: Run) -> None:
    """See what changed in the library, send what an earlier run left in the outbox, end what takes a run back."""
    look(tools)
    leave_deleted(tools)
    drain(tools, run)
    resume(tools, run)


def _finish_earlier(tools: Tools, run: Run) -> frozenset[int]:
    """What earlier runs left to do; the records for which sources still owe something."""
    _catch_up(tools, run)
    upload_files(tools, run)
    return frozenset(record for record, *_ in tools.ledger.records.owing(tools.snapshot.id))


def _fill_owed(tools: Tools, run: Run, tasks: Sequence[Task], earlier: Collection[int]) -> None:
    """Ask the sources that were away when items were written for what they owe, all at once for each item, and fill it in.

    earlier: records that were owed something when the run began. An item that the run has written to by now waits for the next
    one: it changes once in a run, for the sake of desktops that sync.
    """
    written = tools.outbox.keys_of(run.id)
    wanted = {name for task in tasks for name in task.rules.sources} if tasks else set(tools.sources)
    by_wish: dict[tuple[tuple[str, ...], bool], list[int]] = {}
    for record, key, owed, titles in tools.ledger.records.owing(tools.snapshot.id):
        names = tuple(name for name in tools.sources if name in wanted and name in owed)
        waits = record not in earlier or tools.snapshot.heir(key) in written
        if names and not tools.offline and not waits:
            by_wish.setdefault((names, titles), []).append(record)
    if not by_wish:
        return
    put_off = run.deferred
    defer(tools, run, Counter(name for (names, _), owing in by_wish.items() for name in names for _ in owing))
    run.deferred = {**put_off, **run.deferred}
    for (names, titles), owing in by_wish.items():
        rules = Rules("", sources=names, title_search=titles)
        batches = (gather([tools.ledger.records.work(record) for record in part]) for part in batched(owing, BATCH))
        for _ in carried(tools, run, rules, batches, partial(decide_owed, tools, run, rules)):
            pass
    drain(tools, run)


def _carry_out_decisions(tools: Tools, run: Run) -> Iterator[DropReport]:
    """What a person decided since, or wants to be tried again: the records are looked at again, under the rules of their inbox, each drop for itself."""
    decided = tools.ledger.questions.to_carry_out(tools.snapshot.id)
    again = tools.ledger.retries.waiting(tools.snapshot.id)
    for number in sorted({*decided, *again}):
        records = {*decided.get(number, ()), *again.get(number, ())}
        row = tools.ledger.records.get(number)
        rules = tools.rules_of(row.inbox) or Rules(row.inbox)
        rules = replace(rules, sources=row.sources, title_search=row.titles, enrich_wait=0.0)
        task = Task(drops.Drop(Path(row.path), row.sha256, 0, row.inbox), rules, row.path)
        _work_off(tools, run, task, row)
        upload_files(tools, run, row.id)
        tools.ledger.records.close_drop_if_done(row.id)
        lines = tuple(_line(found, again=False) for found in tools.ledger.records.rows(row.id) if found.id in records)
        yield DropReport(row.path, row.sha256, len(lines), lines)


def _check_limits(tools: Tools, run: Run, task: Task, row: DropRow) -> None:
    """All drops of a run together may bring so many new items; the one that would bring more is not begun."""
    new = run.new + tools.snapshot.new_works(row.id)
    if new > tools.limits.new:
        raise LimitReached(
            f"{task.name}: {new} new items in this run are more than [limits] max_new_per_run = {tools.limits.new} allows;"
            " nothing of this drop was written. Raise the limit if this is meant, then sync again"
        )
    run.new = new


def _work_off(tools: Tools, run: Run, task: Task, row: DropRow) -> None:
    """Pass after pass, until no work of the drop is left that can be decided."""
    left = tools.ledger.records.works_left(row.id)
    if not left:
        return
    path = path_of(tools, task, row)
    run.made.clear()
    defer(tools, run, {name: tools.ledger.records.to_ask(row.id, name) for name in task.rules.sources})
    with ThreadPoolExecutor(1, thread_name_prefix="wish") as aside:
        # The collection is made while the sources are asked.
        wish = aside.submit(wish_of, tools, task.rules, path, row.entries)
        for _ in range(PASSES):
            met = run.conflicts
            _one_pass(tools, run, task, row, wish, left)
            wish.result()  # two at once would confuse the library's client
            drain(tools, run)
            before, left = left, tools.ledger.records.works_left(row.id)
            if not left or (left == before and met == run.conflicts):
                return


def _one_pass(tools: Tools, run: Run, task: Task, row: DropRow, wish: Future[Wish], left: int) -> None:
    rules, done = task.rules, 0

    def decide_all(batch: Batch) -> Decided:
        return decide(tools, run, rules, wish.result(), row, batch)

    for works in carried(tools, run, rules, gathered(tools, row), decide_all):
        done += works
        tools.tell(f"syncing {task.name}", done, left)


def _finish(tools: Tools, task: Task, row: DropRow, *, again: bool = False, overlap: str = "") -> DropReport:
    """The report of a drop; a drop of an inbox that is done leaves it."""
    report = replace(drop_report(tools, task, row, again=again), overlap=overlap)
    if task.ours and not tools.dry and row.state == "done":
        put_away(task, report)
    return report


def _report_as_it_stands(tools: Tools, task: Task, fault: ZotdropError) -> DropReport:
    """A drop whose journey was broken off: what is noted of it is accounted for, the rest is read again."""
    log.info("%s", fault)
    try:
        library = tools.snapshot.id
    except ZotdropError:  # a desktop that does not run cannot say which library it has: nothing could be noted
        return DropReport(task.name, task.drop.sha256, 0, message="not read yet: the library cannot be told")
    row = tools.ledger.records.find(library, task.drop.sha256, task.rules.fingerprint(task.drop.subfolder))
    if row is None:
        return DropReport(task.name, task.drop.sha256, 0, message=str(fault))
    return drop_report(tools, task, row)


def _run_report(
    tools: Tools, run: Run, began: datetime, reports: Sequence[DropReport], failure: ZotdropError | None
) -> RunReport:
    away = {**run.deferred, **run.away}
    if isinstance(failure, Outage):
        away.setdefault(failure.service or "zotero", str(failure))
    broken = [report.path for report in reports if not report.adds_up]
    if broken and failure is None:
        failure = ZotdropError(
            f"the sums do not add up for {', '.join(broken)}: this is a fault of zotdrop, please report it"
        )
    failure = failure or broken_off(run)
    return RunReport(
        run=run.id,
        started=instant(began),
        seconds=max(0.0, (tools.now() - began).total_seconds()),  # a clock may be set back
        requests=tools.requests(),
        drops=tuple(reports),
        away=away,
        deferred=tuple(name for name in run.deferred if name not in run.away),
        filled=run.filled,
        written=run.written,
        dry=tools.dry,
        failure=str(failure) if failure else "",
        failure_code=failure.exit_code if failure else 0,
    )


def _told(looked: Refreshed) -> tuple[SeenLine, ...]:
    return tuple(SeenLine(one.key, one.title, dict(one.changes), one.problems, one.ours) for one in looked.seen)


def _line(row: Row, *, again: bool) -> RecordLine:
    outcome, reasons = row.outcome, row.reasons
    if again and outcome in {"created", "merged", "updated", "left"}:
        outcome, reasons = "left", ("same-drop",)
    return RecordLine(row.ordinal, outcome, row.key, row.title, row.sources, reasons, row.problems, row.owed)
