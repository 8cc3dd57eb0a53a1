"""Sources asked ahead: as soon as a batch comes up, all of them at the same time, each with as much at once as it takes.

A batch goes on in parts of one write each: a part waits for the answers to its own works alone. What a source can only be asked
once another has told more (a DOI that PubMed knows) is asked when that has answered. Which questions share a request does not
depend on the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sync.core.record import Record
from sync.sources.base import Finding, Source
from sync.state.works import Work
from sync.steps.enriching import BY_IDENTIFIER, Batch, ask_source, asked_sources, asking, recall
from sync.steps.tools import PART, Rules, Run, Tools


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that go out together, each with the numbers of the works that it is asked for."""

    source: str
    questions: Mapping[str, Sequence[int]]
    answers: Future[Sequence[Finding]]

    def found(self, numbers: Iterable[int]) -> tuple[dict[int, Finding], dict[tuple[str, int], str]]:
        """What is answered for these works, and what was asked for it. Waits; raises what the asking raised."""
        wanted, found = set(numbers), dict[int, Finding]()
        fresh: dict[tuple[str, int], str] = {}
        if wanted.isdisjoint(number for asked in self.questions.values() for number in asked):
            return found, fresh
        for (question, asked), finding in zip(self.questions.items(), self.answers.result(), strict=True):
            for number in wanted.intersection(asked):
                found[number] = finding
                fresh |= {} if finding.away else {(self.source, number): question}
        return found, fresh


@dataclass(slots=True)
class Asked:
    """A batch whose questions are out. late: asks, when the rest has been answered, what had to wait for that; then `whole` is all."""

    batch: Batch
    groups: Sequence[Group]
    late: Sequence[Callable[[Batch], Batch]] = ()
    whole: Batch | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Works of a batch that go on together."""

    asked: Asked
    works: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where sources are asked. pools: by source, the threads that ask it."""

    tools: Tools
    run: Run
    rules: Rules
    pools: Mapping[str, Executor] = field(default_factory=dict)

    def parts(self, batches: Iterable[Batch]) -> Iterator[Part]:
        """The batches in parts; a batch is asked for when its first part is taken. In the ledger's thread."""
        for batch in batches:
            asked = self._ask(recall(self.tools, self.rules, batch))
            for first in range(0, len(batch.works), PART):
                yield Part(asked, batch.works[first : first + PART])

    def answered(self, part: Part) -> Batch:
        """A part with what the sources say. Waits for it; in any one thread."""
        asked, numbers = part.asked, [work.id for work in part.works]
        if asked.late and asked.whole is None:
            whole = _with_answers(asked.batch, asked.groups, asked.batch.records)
            for ask in asked.late:
                whole = ask(whole)
            asked.whole = whole
        if asked.whole is not None:
            return _only(asked.whole, part.works)
        return _only(_with_answers(asked.batch, asked.groups, numbers), part.works)

    def _ask(self, batch: Batch) -> Asked:
        groups: list[Group] = []
        late: list[Callable[[Batch], Batch]] = []
        sources = asked_sources(self.tools, self.rules)
        for place, source in enumerate(sources):
            ready, waits = self._questions(batch, source, first=not place)
            cuts = _cut(source, ready)
            if waits and cuts:
                cuts.pop()  # not filled: it goes out with what is still to come
            groups += [self._submit(source, cut) for cut in cuts]
            late += [asking(self.tools, self.run, self.rules, source)] if waits else []
        return Asked(batch, groups, late)

    def _questions(self, batch: Batch, source: Source, *, first: bool) -> tuple[_Questions, bool]:
        """What a source can be asked at once, and whether there is more that others may still tell it. first: it waits for nobody."""
        ready: _Questions = {}
        waits, known = False, batch.found.get(source.name, {})
        for number, record in batch.records.items():
            if number in known:
                continue
            question = source.question(record, citations=self.rules.title_search)
            if question.startswith(BY_IDENTIFIER) or (first and question):
                ready.setdefault(question, (record, []))[1].append(number)
            else:
                waits = waits or not first
        return ready, waits

    def _submit(self, source: Source, asked: _Questions) -> Group:
        records = [record for record, _ in asked.values()]
        answers = self.pools[source.name].submit(ask_source, self.tools, self.run, self.rules, source, records)
        return Group(source.name, {question: numbers for question, (_, numbers) in asked.items()}, answers)


_Questions = dict[str, tuple[Record, list[int]]]


@contextmanager
def desk(tools: Tools, run: Run, rules: Rules) -> Iterator[Desk]:
    """A desk with its threads; what nobody has begun to ask is not asked any more at its end."""
    with ExitStack() as closing:
        pools = {}
        for source in asked_sources(tools, rules):
            pool = ThreadPoolExecutor(source.at_once, thread_name_prefix=source.name)
            closing.callback(pool.shutdown, wait=True, cancel_futures=True)
            pools[source.name] = pool
        yield Desk(tools, run, rules, pools)


def _cut(source: Source, asked: _Questions) -> list[_Questions]:
    """The questions as the source takes them in one request."""
    walk = iter(asked.items())
    sizes = source.cuts([record for record, _ in asked.values()])
    return [dict(entry for _, entry in zip(range(size), walk, strict=False)) for size in sizes]


def _with_answers(batch: Batch, groups: Iterable[Group], numbers: Iterable[int]) -> Batch:
    """The batch with what is answered for these works."""
    wanted = list(numbers)
    found: dict[str, dict[int, Finding]] = {name: dict(known) for name, known in batch.found.items()}
    fresh: dict[tuple[str, int], str] = dict(batch.fresh)
    for group in groups:
        answers, asked = group.found(wanted)
        found.setdefault(group.source, {}).update(answers)
        fresh |= asked
    return replace(batch, found=found, fresh=fresh)


def _only(batch: Batch, works: tuple[Work, ...]) -> Batch:
    """What a batch has of these works."""
    numbers = {work.id for work in works}

    def of(values: Mapping[int, Any]) -> dict[int, Any]:
        return {number: value for number, value in values.items() if number in numbers}

    return Batch(
        works,
        of(batch.records),
        of(batch.changes),
        {name: of(known) for name, known in batch.found.items()},
        {(name, number): question for (name, number), question in batch.fresh.items() if number in numbers},
    )
