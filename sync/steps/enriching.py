"""What the sources know of a batch of works: from kept answers first, then asked, many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sync.core.identifiers import doi_key
from sync.core.match import contradicts, sketch
from sync.core.merge import Change, absorb, fill
from sync.core.record import Candidate, Problem, Provenance, Record
from sync.sources.base import Finding, Source
from sync.state.records import Work
from sync.steps.tools import Rules, Run, Tools, instant


@dataclass(frozen=True, slots=True)
class Batch:
    """Works on their way. records: each work with what its cluster adds.  found: source -> work id -> finding."""

    works: tuple[Work, ...]
    records: Mapping[int, Record]
    changes: Mapping[int, tuple[Change, ...]]
    found: Mapping[str, Mapping[int, Finding]] = field(default_factory=dict)
    fresh: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Enriched:
    """A work with all that is known: changes and where they came from, sources still owed, what spoke against an answer."""

    work: Work
    record: Record
    changes: tuple[Change, ...]
    sources: tuple[str, ...]
    owed: tuple[str, ...]
    problems: tuple[Problem, ...]


def gather(works: Sequence[Work]) -> Batch:
    """The works of a batch, each with what the other records of its cluster add."""
    records, changes = {}, {}
    for work in works:
        because = Provenance("drop", "merged", work.arrived)
        merged = absorb(work.record, (member.record for member in work.members), because)
        records[work.id], changes[work.id] = merged.record, merged.changes
    return Batch(tuple(works), records, changes)


def recall(tools: Tools, rules: Rules, batch: Batch) -> Batch:
    """The batch with the answers that were kept from earlier."""
    now = tools.now()
    found_since = instant(now - timedelta(days=tools.cache_days))
    absent_since = instant(now - timedelta(days=tools.absent_days))
    found: dict[str, dict[int, Finding]] = {}
    for name in rules.sources:
        found[name] = {}
        for work in batch.works:
            asked = question(batch.records[work.id])
            kept = (
                tools.ledger.answers.get(name, asked, found_since=found_since, absent_since=absent_since)
                if asked
                else ()
            )
            if kept is not None:
                found[name][work.id] = Finding(kept, asked=bool(asked))
    return replace(batch, found=found)


def asking(tools: Tools, run: Run, source: Source) -> Callable[[Batch], Batch]:
    """The step that asks one source for what is not known yet. A source that was away stays so for the rest of the run."""

    def ask(batch: Batch) -> Batch:
        known = batch.found.get(source.name)
        if known is None:  # not one of this inbox's sources
            return batch
        open_works = [work for work in batch.works if work.id not in known]
        if not open_works:
            return batch
        findings = _ask(tools, run, source, [batch.records[work.id] for work in open_works])
        answers = {work.id: finding for work, finding in zip(open_works, findings, strict=True)}
        fresh = {(source.name, id_) for id_, finding in answers.items() if finding.asked and not finding.away}
        found = {**batch.found, source.name: {**known, **answers}}
        return replace(batch, found=found, fresh=batch.fresh | fresh)

    return ask


def keep(tools: Tools, batch: Batch) -> None:
    """Keep the answers that were asked for just now. Call it in the ledger's thread."""
    at = tools.instant()
    for name, work in sorted(batch.fresh):
        tools.ledger.answers.keep(name, question(batch.records[work]), at, batch.found[name][work].candidates)


def enriched(rules: Rules, batch: Batch, work: Work) -> Enriched:
    """A work with the answers that do not contradict it filled in, in the order of trust of the rules."""
    record = batch.records[work.id]
    findings = [(name, batch.found.get(name, {}).get(work.id, Finding(asked=False))) for name in rules.sources]
    offered = [candidate for _, finding in findings for candidate in finding.candidates]
    trusted, problems = _sift(record, offered)
    merged = fill(record, trusted)
    return Enriched(
        work=work,
        record=merged.record,
        changes=(*batch.changes[work.id], *merged.changes),
        sources=tuple(dict.fromkeys(c.because.source for c in trusted)),
        owed=tuple(name for name, finding in findings if finding.away),
        problems=tuple(problems),
    )


def question(record: Record) -> str:
    """What a source is asked by, as the key of a kept answer; empty if there is nothing to ask by."""
    doi, pmid = doi_key(record.identifiers.get("DOI", "")), record.identifiers.get("PMID", "")
    return "|".join(([f"doi:{doi}"] if doi else []) + ([f"pmid:{pmid}"] if pmid else []))


def _ask(tools: Tools, run: Run, source: Source, records: Sequence[Record]) -> Sequence[Finding]:
    if tools.offline or source.name in run.away:
        why = run.away.get(source.name, "not asked (--offline)")
        return [Finding(away=why) if question(record) else Finding(asked=False) for record in records]
    findings = source.find(records)
    asked = [finding for finding in findings if finding.asked]
    if asked and all(finding.away for finding in asked):
        run.away[source.name] = asked[0].away
    return findings


def _sift(record: Record, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Problem]]:
    """Answers that may be this work, and a problem for each that cannot be."""
    mine, trusted, problems = sketch(record), [], []
    for candidate in candidates:
        why = contradicts(mine, sketch(candidate.record))
        if not why:
            trusted.append(candidate)
            continue
        because = candidate.because
        message = (
            f"{because.source} knows this {because.how.upper()} as {candidate.record.title!r} ({why}): not used;"
            " is the identifier in the drop right?"
        )
        problems.append(Problem("source-contradicts", message))
    return trusted, problems
