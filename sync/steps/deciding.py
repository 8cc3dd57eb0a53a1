"""From an enriched record to its one action, noted in the ledger together with what is to be written."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sync.core import notices
from sync.core.bases import rebased, satisfied
from sync.core.clusters import block_keys, identifier_keys
from sync.core.items import from_item, new_item, note_item
from sync.core.keys import entry_key, item_uri, note_key
from sync.core.match import compare
from sync.core.plan import Action, Ask, Create, Leave, Place, Twin, Update, Wish, plan, update
from sync.core.record import Problem, Record
from sync.core.sketch import Sketch, sketch
from sync.core.verdicts import Match, Verdict
from sync.state.drops import DropRow
from sync.state.outbox import Post
from sync.state.works import Work
from sync.steps.attaching import Child, post_attachments
from sync.steps.enriching import Batch, Enriched, enriched, keep
from sync.steps.keeping import post_original
from sync.steps.mending import fit, fit_data
from sync.steps.noting import post_note
from sync.steps.routing import later_wish
from sync.steps.tools import Rules, Run, Tools

_BESIDE = frozenset({"extra", "DOI", "PMID", "PMCID"})  # fields that no sketch reads: identifiers stand by themselves
_SALTS = 16  # tries for a key that nobody else uses; one in 33^8 collides
SAME_ENTRY = Match(Verdict.SAME, ("same-entry",))
_MERGED = Match(Verdict.SAME, ("merged-in-zotero",))
_SAID_SAME, _SAID_DIFFERENT = (Match(verdict, ("decided",)) for verdict in (Verdict.SAME, Verdict.DIFFERENT))


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch whose actions are noted: what is to be written for it now."""

    posts: tuple[Post, ...]
    works: int


def decide(tools: Tools, run: Run, rules: Rules, wish: Wish, row: DropRow, batch: Batch) -> Decided:
    """Decide every work of the batch, in one transaction with the outbox. Works that must wait, or be looked at again, stay."""
    posts: list[Post] = []
    with tools.ledger.transaction():
        keep(tools, batch)
        for work in batch.works:
            posts += _decide_one(tools, run, rules, wish, row, enriched(tools, rules, batch, work))
    return Decided(tuple(posts), len(batch.works))


def decide_owed(tools: Tools, run: Run, rules: Rules, batch: Batch) -> Decided:
    """For items that were written while a source was away: what that source can still fill in."""
    posts: list[Post] = []
    with tools.ledger.transaction():
        keep(tools, batch)
        for work in batch.works:
            posts += _fill_one(tools, run, rules, enriched(tools, rules, batch, work))
    return Decided(tuple(posts), len(batch.works))


def _decide_one(tools: Tools, run: Run, rules: Rules, wish: Wish, row: DropRow, known: Enriched) -> list[Post]:
    records, work = tools.ledger.records, known.work
    for problem in known.problems:
        records.add_problem(work.id, problem)
    awaited = [name for name in known.awaited if name not in run.deferred]
    if awaited and _young(tools, rules, work):
        records.wait(work.id, ("source-away",), known.owed)
        return []
    decided = tools.ledger.questions.verdicts(work.id)
    mine = sketch(known.record)
    key, found = find_twins(tools, run, known, mine, decided)
    twins = [_foreseen(tools, remembered(tools, known.record, wish, twin)) for twin in found]
    _tell_twice(tools, work.id, twins)
    action = plan(known.record, twins, wish)
    if isinstance(action, (Update, Leave)) and tools.outbox.busy(action.key) and not tools.outbox.held(action.key):
        return []  # its twin is being made: looked at again once that has landed
    action = fit(tools, work.id, action)
    if not decided.get(getattr(action, "key", ""), False):
        action = _within_limits(tools, run, action)
    records.keep_merged(work.id, known.merged, sources=known.sources, owed=known.owed)
    return _note(tools, run, rules, row, known, mine, key, _linked(tools, action, twins))


def _foreseen(tools: Tools, twin: Twin) -> Twin:
    """The twin as it will be when what waits for it has landed: records of a drop that meet in an item change it once."""
    post = tools.outbox.held(twin.key)
    if post is None or post.version != twin.version:
        return twin
    data = {**twin.data, **post.data}
    place = Place.ALIVE if post.data.get("deleted") == 0 else twin.place
    return replace(twin, data=data, base=rebased(twin.base, twin.data, data, post.data), place=place)


def _tell_twice(tools: Tools, record: int, twins: Sequence[Twin]) -> None:
    """A work that the library holds more than once is no question: the oldest item is taken, and a person is told, once."""
    keys = sorted(twin.key for twin in twins if twin.match.verdict is Verdict.SAME and twin.place is Place.ALIVE)
    if len(keys) > 1 and tools.snapshot.tell_once(f"twice:{','.join(keys)}"):
        message = f"the library holds this work {len(keys)} times ({', '.join(keys)}): the oldest is taken; Zotero can merge them"
        tools.ledger.records.add_problem(record, Problem("twice-in-library", message))


def _young(tools: Tools, rules: Rules, work: Work) -> bool:
    """Whether a record may still wait for a source that is away."""
    arrived = datetime.strptime(work.arrived, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return (tools.now() - arrived).total_seconds() < rules.enrich_wait


def remembered(tools: Tools, record: Record, wish: Wish, twin: Twin) -> Twin:
    """An item under the entry's own key of which a ledger that was restored or made again knows nothing: what the record would
    have written is its base. Where the item says something else, somebody else wrote that. Of one that was deleted, it is what it was.
    """
    if twin.match is not SAME_ENTRY or twin.base is not None:
        return twin
    written = new_item(record, tags=wish.tags, keywords=wish.keywords)
    if twin.place is Place.GONE and tools.snapshot.buried(twin.key):
        tools.snapshot.take([(twin.key, 0, written)], gone=[twin.key])
    elif twin.place is Place.ALIVE and tools.snapshot.regained:
        held = dict.fromkeys((*wish.collections, *twin.data.get("collections", ())))
        tools.snapshot.regain(twin.key, twin.data, {**written, "collections": list(held)})
    return tools.snapshot.twin(twin.key, SAME_ENTRY) or twin


def find_twins(
    tools: Tools, run: Run, known: Enriched, mine: Sketch, decided: Mapping[str, bool]
) -> tuple[str, list[Twin]]:
    """The key for a new item, and the items that may be this work: by the entry's own key first, then by what they share.

    mine: the sketch of the work.  decided: what a person said of it and items, which goes before what we think.
    """
    twins: dict[str, Twin] = {}
    key = _own_key(tools, known.work, known.work.anchor, mine, twins)
    for member in known.work.members:
        _own_key(tools, known.work, member.anchor, mine, twins)
    # The records of a drop were compared with each other before; only an identifier that was learnt since can tell more.
    named = identifier_keys(known.record)
    others = tools.snapshot.keys(block_keys(mine) - named, but=() if tools.relate else run.made)
    known_apart = run.made.intersection(others) if tools.relate else ()
    keys = [other for other in dict.fromkeys([*decided, *tools.snapshot.keys(named), *others]) if other not in twins]
    compared = tools.snapshot.sketches(keys)
    for other in compared:
        match = _match(tools, mine, other, *compared[other], decided.get(other))
        if match.verdict is Verdict.DIFFERENT or (other in known_apart and match.verdict is not Verdict.RELATED):
            continue
        found = tools.snapshot.twin(other, match)
        if found is not None:
            twins[other] = found
    return key, _followed(tools, twins, decided)


def _followed(tools: Tools, twins: Mapping[str, Twin], decided: Mapping[str, bool]) -> list[Twin]:
    """The twins, with what they were merged into in Zotero in the place of those that are no more."""
    found = dict(twins)
    for key, twin in twins.items():
        heir = tools.snapshot.heir(key) if twin.place is not Place.ALIVE and twin.match.verdict is Verdict.SAME else key
        survivor = tools.snapshot.twin(heir, _MERGED) if heir != key and decided.get(heir, True) else None
        if survivor is not None:
            del found[key]
            found[heir] = survivor
    return list(found.values())


def _match(tools: Tools, mine: Sketch, key: str, item: Sketch, edited: bool, said: bool | None) -> Match:
    """The verdict on an item: what a person said; as it is; or as we wrote it, if it was changed since (a new title is no new work)."""
    if said is not None:
        return _SAID_SAME if said else _SAID_DIFFERENT
    now = compare(mine, item, join_versions=tools.join_versions)
    if now.verdict is Verdict.SAME or not edited:
        return now
    twin = tools.snapshot.twin(key, now)
    if twin is None or twin.base is None or satisfied(twin.data, twin.base):
        return now
    then = compare(mine, sketch(from_item(twin.base)), join_versions=tools.join_versions)
    return Match(Verdict.SAME, (*then.reasons, "edited-since")) if then.verdict is Verdict.SAME else now


def _own_key(tools: Tools, work: Work, anchor: int, mine: Sketch, twins: dict[str, Twin]) -> str:
    """The key that this entry's item has or will have; if it exists already it joins the twins.

    A key that somebody else's item happens to have is salted anew. (Where the ledger may have forgotten what it wrote, it is ours,
    whatever it is called by now: the other happens once in 33^8 items.)
    """
    for salt in range(_SALTS):
        key = entry_key(tools.library.identity, work.sha256, anchor, salt)
        found = tools.snapshot.twin(key, SAME_ENTRY)
        if found is None:
            return key
        if found.made or tools.snapshot.regained or sketch(from_item(found.data)).title == mine.title:
            twins[key] = found
            return key
    raise LookupError(f"no free key for the entry at byte {anchor} after {_SALTS} tries")  # pragma: no cover


def _within_limits(tools: Tools, run: Run, action: Action) -> Action:
    """An update of an item that zotdrop did not make becomes a question once the limit of such changes is reached."""
    if not isinstance(action, Update) or not action.foreign:
        return action
    if run.foreign_changes + len(action.data) > tools.limits.changes:
        return Ask(action.key, (*action.reasons, "limit-changes"))
    run.foreign_changes += len(action.data)
    return action


def _linked(tools: Tools, action: Action, twins: Sequence[Twin]) -> Action:
    """A new item that points at the living items of related works; the library lets those point back by itself."""
    if not tools.relate or not isinstance(action, Create):
        return action
    related = [twin.key for twin in twins if twin.match.verdict is Verdict.RELATED and twin.place is Place.ALIVE]
    uris = [uri for key in sorted(related) if (uri := item_uri(tools.library.identity, key))]
    return replace(action, data={**action.data, "relations": {"dc:relation": uris}}) if uris else action


def _note(
    tools: Tools, run: Run, rules: Rules, row: DropRow, known: Enriched, mine: Sketch, key: str, action: Action
) -> list[Post]:
    """The action in the outbox and the record's state, together."""
    records, work = tools.ledger.records, known.work
    if isinstance(action, Ask):
        records.settle(work.id, None, "asked", (*action.reasons, f"item:{action.key}"))
        return []
    if isinstance(action, Create):
        records.planned(work.id, key, "created", work.reasons)
        run.made.add(key)
        tools.snapshot.planned(key, action.data, _of_item(action.data, known.record, mine))
        posts = _post_item(tools, run, work.id, key, action, _extra_notes(rules, known.record))
        posts += _post_notices(tools, run, work.id, key, known.record)
        posts += post_original(tools, run, rules, row, work, key)
        return [*posts, *post_attachments(tools, run, rules, row.id, Child(work.id, key), known.record.attachments)]
    posts = _post_update(tools, run, known, action)
    outcome = "merged" if records.owner(action.key, row.id) is not None else "updated" if posts else "left"
    if posts or tools.outbox.held(action.key):
        records.planned(work.id, action.key, outcome, action.reasons)
    else:
        records.settle(work.id, action.key, outcome, action.reasons)
    return []  # sent when all of the drop is decided, so that records that meet in an item change it once


def _of_item(data: Mapping[str, Any], record: Record, mine: Sketch) -> Sketch:
    """The sketch of a new item: that of its record, unless the item says something else of what is compared."""
    item = from_item(data)
    return mine if _compared(item) == _compared(record) else sketch(item)


def _compared(record: Record) -> tuple[object, ...]:
    fields = {name: value for name, value in record.fields.items() if name not in _BESIDE}
    named = (record.identifiers.get("DOI"), record.identifiers.get("PMID"))
    return record.item_type, fields, record.creators, named


def _post_update(tools: Tools, run: Run, known: Enriched, action: Update | Leave) -> list[Post]:
    """The change of an item that exists, and the notes of notices that one of ours does not have yet."""
    posts: list[Post] = []
    waiting = tools.outbox.held(action.key)
    if isinstance(action, Update) and waiting:
        tools.outbox.join(waiting, action.data)
        tools.outbox.joined(waiting, known.work.id)
        posts.append(waiting)
    elif isinstance(action, Update):
        posts.append(tools.outbox.put(run.id, known.work.id, action.key, action.version, action.data))
    twin = tools.snapshot.twin(action.key, SAME_ENTRY) if known.record.notices else None
    if twin and twin.made and twin.place is Place.ALIVE:
        posts += _post_notices(tools, run, known.work.id, action.key, known.record)
    return posts


def _post_item(tools: Tools, run: Run, record: int, key: str, action: Create, more: Sequence[str]) -> list[Post]:
    """The item and, after it, its notes."""
    posts = [tools.outbox.put(run.id, record, key, 0, action.data)]
    for number, note in enumerate((*action.notes, *more), start=1):
        posts.append(tools.outbox.put(run.id, record, note_key(key, number), 0, note_item(note, key)))
    return posts


def _post_notices(tools: Tools, run: Run, record: int, parent: str, known: Record) -> list[Post]:
    """A note for each notice, once."""
    posts = []
    for notice in known.notices:
        if notice.kind in notices.NOTED:
            keys = [note_key(parent, identity) for identity in notices.identities(notice)]
            posts.append(post_note(tools, run, record, keys, notices.note(notice), parent))
    return [post for post in posts if post]


def _extra_notes(rules: Rules, record: Record) -> list[str]:
    """What had no place in the item, as one note, where the inbox wants it so."""
    if rules.unmapped != "note" or not record.unmapped:
        return []
    lines = "".join(f"<p>{html.escape(tag)}: {html.escape(value)}</p>" for tag, value in record.unmapped)
    return [f"<p>Values of the import that have no field:</p>{lines}"]


def _fill_one(tools: Tools, run: Run, rules: Rules, known: Enriched) -> list[Post]:
    """What the asked sources can still fill into an item; what they still owe stays noted."""
    work = known.work
    owed = tuple(name for name in work.owed if name not in rules.sources or name in known.owed)
    key = tools.snapshot.heir(work.key)
    if owed == work.owed or tools.outbox.busy(key):
        return []
    for problem in known.problems:
        tools.ledger.records.add_problem(work.id, problem)
    tools.ledger.records.keep_merged(work.id, known.merged, sources=known.sources, owed=owed)
    twin = tools.snapshot.twin(key, SAME_ENTRY)
    if twin is None or twin.place is not Place.ALIVE:
        return []
    _tell_twice(tools, work.id, [twin, *_learnt_twins(tools, key, known.record)])
    return post_additions(
        tools, run, work.id, twin, known.record, update(known.record, twin, later_wish(tools, work.id))
    )


def _learnt_twins(tools: Tools, key: str, record: Record) -> list[Twin]:
    """Other living items that an identifier learnt after writing shows to be the same work: too late to join them here."""
    mine = sketch(record)
    compared = tools.snapshot.sketches(
        [other for other in tools.snapshot.keys(identifier_keys(record)) if other != key]
    )
    verdicts = {other: compare(mine, item, join_versions=tools.join_versions) for other, (item, _) in compared.items()}
    same = [(other, match) for other, match in verdicts.items() if match.verdict is Verdict.SAME]
    return [twin for other, match in same if (twin := tools.snapshot.twin(other, match))]


def post_additions(
    tools: Tools, run: Run, record: int, twin: Twin, known: Record, changed: Mapping[str, Any]
) -> list[Post]:
    """What is known by now and a living item does not say yet: the change, and notes of notices where we made the item."""
    fitting = fit_data(tools, record, twin.key, changed) if changed else {}
    posts = [tools.outbox.put(run.id, record, twin.key, twin.version, fitting)] if fitting else []
    tools.outbox.sending(posts)
    return [*posts, *(_post_notices(tools, run, record, twin.key, known) if twin.made else [])]
