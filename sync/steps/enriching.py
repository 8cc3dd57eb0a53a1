"""What the sources know of a batch of works: from kept answers first, then asked, many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from sync.core import notices
from sync.core.identify import Identified, agrees, contradicts, identify
from sync.core.merge import Change, Merged, absorb, fill
from sync.core.quiet import is_quiet
from sync.core.record import Candidate, Problem, Provenance, Record
from sync.core.sketch import outline
from sync.pipeline import Stage
from sync.sources.base import Finding, Source
from sync.state.works import Work
from sync.steps.tools import Rules, Run, Tools, instant

BY_IDENTIFIER = ("doi:", "pmid:")  # how questions begin that need nothing to be learnt
_NOTHING = Finding(asked=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Works on their way. records: each with what its cluster adds, by number.  found: source -> number -> finding.

    works: those of a drop, whose number is their id (none where items of a library are looked at again).
    fresh: what was asked just now, by source and number: the question, as the key under which its answer is kept.
    """

    works: tuple[Work, ...]
    records: Mapping[int, Record]
    changes: Mapping[int, tuple[Change, ...]]
    found: Mapping[str, Mapping[int, Finding]] = field(default_factory=dict)
    fresh: Mapping[tuple[str, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a work: what made it so, who said it, sources still owed, what a person should know of it.

    awaited: those of `owed` that are away, so that a young record waits for them.
    """

    merged: Merged
    sources: tuple[str, ...]
    owed: tuple[str, ...]
    problems: tuple[Problem, ...]
    awaited: tuple[str, ...]

    @property
    def record(self) -> Record:
        """The work with what the sources add."""
        return self.merged.record


@dataclass(frozen=True, slots=True)
class Enriched(Known):
    """A work of a drop, enriched."""

    work: Work


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
    for source in asked_sources(tools, rules):
        # What another source is still to tell may give a work without a question something to ask by.
        questions = {number: _question(source, rules, batch, number)[1] for number in batch.records}
        asked = set(filter(None, questions.values()))
        kept = tools.ledger.answers.among(source.name, asked, found_since=found_since, absent_since=absent_since)
        known = {
            number: Finding(kept[question].candidates, agency=kept[question].agency)
            for number, question in questions.items()
            if question in kept
        }
        batch = replace(batch, found={**batch.found, source.name: known})
    return batch


def asking(tools: Tools, run: Run, rules: Rules, source: Source) -> Callable[[Batch], Batch]:
    """The step that asks one source for what is not known yet. A source that was away stays so for the rest of the run."""

    def ask(batch: Batch) -> Batch:
        known = batch.found.get(source.name, {})
        asked = {number: _question(source, rules, batch, number) for number in batch.records if number not in known}
        asked = {number: (record, question) for number, (record, question) in asked.items() if question}
        if not asked:
            return batch
        findings = ask_source(tools, run, rules, source, [record for record, _ in asked.values()])
        answers = dict(zip(asked, findings, strict=True))
        fresh = {(source.name, id_): asked[id_][1] for id_, finding in answers.items() if not finding.away}
        found = {**batch.found, source.name: {**known, **answers}}
        return replace(batch, found=found, fresh={**batch.fresh, **fresh})

    return ask


def stages(tools: Tools, run: Run, rules: Rules) -> list[Stage]:
    """The stages that enrich a batch: kept answers, then each source in a thread of its own."""
    asked = [Stage(asking(tools, run, rules, source), apart=True) for source in asked_sources(tools, rules)]
    return [Stage(partial(recall, tools, rules)), *asked]


def keep(tools: Tools, batch: Batch) -> None:
    """Keep the answers that were asked for just now. Call it in the ledger's thread."""
    at = tools.instant()
    for (name, work), question in sorted(batch.fresh.items()):
        finding = batch.found[name][work]
        tools.ledger.answers.keep(name, question, at, finding.candidates, finding.agency)


def enriched(tools: Tools, rules: Rules, batch: Batch, work: Work) -> Enriched:
    """A work of a drop with what its cluster and the sources add."""
    known = known_of(tools, rules, batch, work.id)
    merged = replace(known.merged, changes=(*batch.changes[work.id], *known.merged.changes))
    return Enriched(merged, known.sources, known.owed, known.problems, known.awaited, work)


def known_of(tools: Tools, rules: Rules, batch: Batch, number: int) -> Known:
    """A record with what the answers that do not contradict it add, as the policy allows."""
    record = batch.records[number]
    findings = [(name, batch.found.get(name, {}).get(number, _NOTHING)) for name in rules.sources]
    trusted, problems = _sift(record, [candidate for _, finding in findings for candidate in finding.candidates])
    merged = fill(record, trusted, tools.policy)
    problems += [_unknown(record, finding.agency) for _, finding in findings if finding.agency]
    problems += notices.problems(merged.record.notices)
    return Known(
        merged,
        sources=tuple(dict.fromkeys(c.because.source for c in trusted)),
        owed=tuple(name for name, finding in findings if finding.away),
        problems=tuple(problems),
        awaited=tuple(name for name, finding in findings if finding.away and not finding.put_off),
    )


def defer(tools: Tools, run: Run, questions: Mapping[str, int]) -> None:
    """Put off sources whose owner wants long series at other hours. questions: how many each of them would be asked."""
    run.deferred = {}
    for name, most in tools.quiet_above.items():
        source = tools.sources.get(name)
        needed = source.requests_for(questions.get(name, 0)) if source else 0
        if needed > most and not is_quiet(tools.now()):
            run.deferred[name] = (
                f"{name} is asked at night (US Eastern time) or at the weekend: about {needed} requests are more than"
                f" off_peak_above = {most}; the items are written now and filled then"
            )


def asked_sources(tools: Tools, rules: Rules) -> list[Source]:
    """The sources that these rules want, in order of trust."""
    return [tools.sources[name] for name in rules.sources if name in tools.sources]


def _question(source: Source, rules: Rules, batch: Batch, number: int) -> tuple[Record, str]:
    """What a source is asked for a work, and by what: by an identifier of its own, else by what others found out of it."""
    record = batch.records[number]
    own = source.question(record, citations=rules.title_search)
    if own.startswith(BY_IDENTIFIER):
        return record, own
    learnt = _learnt(batch, number)
    return (record, own) if learnt is record else (learnt, source.question(learnt, citations=rules.title_search))


def _learnt(batch: Batch, work: int) -> Record:
    """The record with the identifiers that sources before this one found out."""
    record = batch.records[work]
    offered = [one for found in batch.found.values() for one in found.get(work, _NOTHING).candidates]
    trusted, _ = _sift(record, offered)
    names = {name: value for one in trusted for name, value in one.record.identifiers.items()}
    return replace(record, identifiers={**names, **record.identifiers}) if names else record


def ask_source(tools: Tools, run: Run, rules: Rules, source: Source, records: Sequence[Record]) -> Sequence[Finding]:
    """A Finding for each record; a source that was away stays so for the rest of the run."""
    why = (
        run.away.get(source.name) or run.deferred.get(source.name) or ("not asked (--offline)" if tools.offline else "")
    )
    if why:
        return [Finding(away=why)] * len(records)
    findings = source.find(records, citations=rules.title_search)
    asked = [finding for finding in findings if finding.asked]
    if asked and all(finding.away and not finding.put_off for finding in asked):
        run.away[source.name] = asked[0].away
    return findings


def _sift(record: Record, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Problem]]:
    """Answers that may be this work, and a problem for each that cannot be though it has the record's identifier."""
    if not candidates:
        return [], []
    mine, trusted, problems = outline(record), [], []
    found = [candidate for candidate in candidates if candidate.because.how == "search"]
    likely = identify(record, [candidate.record for candidate in found]) if found else None
    if likely:
        trusted += [found[likely.place]] if likely.sure else []
        problems += [] if likely.sure else [_likely(found[likely.place], likely)]
    for candidate in candidates:
        because = candidate.because
        if because.how == "search":
            continue
        if because.how == "citation":
            trusted += [candidate] if agrees(record, candidate.record) else []
            continue
        why = contradicts(mine, outline(candidate.record))
        if not why:
            trusted.append(candidate)
            continue
        message = (
            f"{because.source} knows this {because.how.upper()} as {candidate.record.title!r} ({why}): not used;"
            " is the identifier in the drop right?"
        )
        problems.append(Problem("source-contradicts", message))
    return trusted, problems


def _likely(candidate: Candidate, why: Identified) -> Problem:
    doi = candidate.record.identifiers.get("DOI", "")
    message = (
        f"{candidate.because.source} has {candidate.record.title!r} (DOI {doi}), which may be this work"
        f" ({', '.join(why.signals)} agree): not used; if it is, give the item this DOI"
    )
    return Problem("identifier-likely", message)


def _unknown(record: Record, agency: str) -> Problem:
    doi = record.identifiers.get("DOI", "")
    if agency == "nobody":
        return Problem("doi-unknown", f"DOI {doi}: no registration agency knows it; is it right?")
    return Problem("doi-elsewhere", f"DOI {doi}: registered with {agency}, so that Crossref cannot tell of it")
