"""A library looked at again: what the sources say of its items by now. Ours gain it; for others it is proposed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sync.core import notices
from sync.core.items import from_item
from sync.core.plan import Place, Twin, Wish, update
from sync.core.record import Problem
from sync.core.verdicts import Match, Verdict
from sync.errors import Interrupted
from sync.pipeline import Stage, flow
from sync.state.works import Origin
from sync.steps.deciding import Decided, post_additions
from sync.steps.enriching import Batch, Known, keep, known_of, stages
from sync.steps.routing import later_wish
from sync.steps.tools import BATCH, Rules, Run, Tools
from sync.steps.writing import send, settle

AHEAD = 4  # batches under way at once
_ITSELF = Match(Verdict.SAME, ("same-item",))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a second look at an item came to. changes: what would go into it, as item JSON.  ours: and went, as we made it."""

    key: str
    title: str
    changes: Mapping[str, Any]
    problems: tuple[Problem, ...]
    ours: bool


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many items were looked at, and those of which there is something to say."""

    items: int = 0
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class _Look:
    """Items under way together. origins: the records that made them, for those that are ours."""

    twins: Mapping[int, Twin]
    origins: Mapping[int, Origin]


def askable(tools: Tools, foreign: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """Keys of the living items that have an identifier, by the sources that may be asked for them.

    foreign: the sources that may be asked for items that zotdrop did not make. One of ours is asked for at those that its drop
    allowed: what came in confidence stays so.
    """
    keys: dict[tuple[str, ...], list[str]] = {}
    for key, made in tools.snapshot.identified():
        origin = tools.ledger.records.origin(tools.snapshot.id, key) if made else None
        allowed = origin.sources if origin else () if made else foreign
        names = tuple(name for name in tools.sources if name in allowed)
        if names:
            keys.setdefault(names, []).append(key)
    return keys


def refresh(tools: Tools, run: Run, rules: Rules, keys: Sequence[str]) -> Refreshed:
    """Ask for these items again, write what ours gain, and say what others would."""
    seen: list[Seen] = []
    done = 0
    asked = [_inside(stage) for stage in stages(tools, run, rules)]
    decide = Stage(partial(_decide, tools, run, rules, seen))
    written = Stage(lambda decided: send(tools.library, tools.stop, decided.posts, decided.works), apart=True)
    for works in flow(
        _batches(tools, keys), [*asked, decide, written, Stage(partial(settle, tools, run))], ahead=AHEAD
    ):
        done += works
        tools.tell("looking at items again", done, len(keys))
    return Refreshed(done, tuple(seen))


def _batches(tools: Tools, keys: Sequence[str]) -> Iterator[tuple[_Look, Batch]]:
    for first in range(0, len(keys), BATCH):
        if tools.stop():
            raise Interrupted("stopped between two batches; the next refresh looks at the rest")
        found = [tools.snapshot.twin(key, _ITSELF) for key in keys[first : first + BATCH]]
        twins = {number: twin for number, twin in enumerate(found) if twin and twin.place is Place.ALIVE}
        made = {
            number: tools.ledger.records.origin(tools.snapshot.id, twin.key)
            for number, twin in twins.items()
            if twin.made
        }
        origins = {number: origin for number, origin in made.items() if origin}
        yield _Look(twins, origins), Batch((), {number: from_item(twin.data) for number, twin in twins.items()}, {})


def _inside(stage: Stage) -> Stage:
    """A stage for batches that travel together with the items they were made of."""

    def work(travelling: tuple[_Look, Batch]) -> tuple[_Look, Batch]:
        part, batch = travelling
        return part, stage.work(batch)

    return Stage(work, apart=stage.apart)


def _decide(tools: Tools, run: Run, rules: Rules, seen: list[Seen], travelling: tuple[_Look, Batch]) -> Decided:
    part, batch = travelling
    posts = []
    with tools.ledger.transaction():
        keep(tools, batch)
        for number, twin in part.twins.items():
            known, origin = known_of(tools, rules, batch, number), part.origins.get(number)
            changes = update(known.record, twin, later_wish(tools, origin.record) if origin else Wish())
            if origin and not tools.outbox.busy(twin.key):
                posts += post_additions(tools, run, origin.record, twin, known.record, changes)
                _note(tools, origin.record, known, changes)
            one = _seen(twin, known, changes, ours=origin is not None)
            seen += [one] if one else []
    return Decided(tuple(posts), len(part.twins))


def _note(tools: Tools, record: int, known: Known, changes: Mapping[str, Any]) -> None:
    """Where what the item gains came from, and what the sources contradict, with the record that made it."""
    gained = [change for change in known.merged.changes if change.field in changes]
    tools.ledger.records.gained(record, gained, known.record, sources=known.sources)
    for problem in known.problems:
        tools.ledger.records.add_problem(record, problem)


def _seen(twin: Twin, known: Known, changes: Mapping[str, Any], *, ours: bool) -> Seen | None:
    """What there is to say of an item: what it lacks, and notices that no tag of it tells yet."""
    tags = {tag["tag"] for tag in twin.data.get("tags", ())}
    told = set(notices.tags(known.record.notices)) - tags
    published = any(notice.kind == "published" for notice in known.record.notices)
    problems = (
        known.problems if told or published or any(p.code == "source-contradicts" for p in known.problems) else ()
    )
    if not changes and not problems:
        return None
    return Seen(twin.key, known.record.title, changes, problems, ours)
