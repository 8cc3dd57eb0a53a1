"""What a library refused goes into the outbox once more, in a form that it can take; what it cannot know is not sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sync.core import schema
from sync.core.keys import note_key
from sync.core.mend import Mended, fitted, mended
from sync.core.plan import Action, Create, Leave, Update
from sync.core.record import Problem
from sync.libraries.base import Receipt, Refusal
from sync.state.outbox import Post
from sync.steps.noting import post_note
from sync.steps.tools import Run, Tools

_NO_PARENT = 409  # "Parent item ... not found"
_TOO_LONG = 413


def fit(tools: Tools, record: int, action: Action) -> Action:
    """The action without fields that the library is known not to have: their values go to Extra, and the record says so."""
    if not tools.library.lacks or not isinstance(action, (Create, Update)):
        return action
    data = fit_data(tools, record, action.key if isinstance(action, Update) else "", action.data)
    if not data and isinstance(action, Update):
        return Leave(action.key, (*action.reasons, "in-library"))
    return replace(action, data=data)


def fit_data(tools: Tools, record: int, key: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is to be written to the item `key` (empty: a new one), without fields that the library is known not to have."""
    held = (tools.snapshot.data(key) or {}) if key else {}
    kind = str(data.get("itemType") or held.get("itemType"))
    found = fitted(data, held, tools.library.lacks.get(kind, frozenset()))
    if found is None:
        return data
    _tell(tools, record, found)
    return found.data


def tried_again(tools: Tools, run: Run, post: Post, refusal: Refusal) -> bool:
    """Whether what was refused is tried again: without what the library cannot take, or after its item, which is."""
    if post.undo:
        return False
    if refusal.code == _NO_PARENT and tools.outbox.busy(str(post.data.get("parentItem") or "")):
        tools.outbox.again(post, post.data, refusal.message)
        return True
    found = mended(
        post.data, tools.snapshot.data(post.key) or {} if post.version else {}, refusal.code, refusal.message
    )
    if found is None:
        return False
    tools.outbox.again(post, found.data, refusal.message)
    if not found.data and tools.ledger.records.outcome(post.record)[0] == "planned":
        tools.ledger.records.planned(post.record, post.key, "left", ("in-library",))
    if post.version == 0 or tools.snapshot.wrote(post.key):
        _post_notes(tools, run, post, found)
    else:
        note = Problem("text-left-out", "the item is not zotdrop's: it gets no note, the text stays in the ledger")
        found = replace(found, problems=(*found.problems, *([note] if found.notes else ())))
    if refusal.code == _TOO_LONG:
        _ask_others(tools, post, found)
    _tell(tools, post.record, found)
    return True


def _ask_others(tools: Tools, post: Post, found: Mended) -> None:
    """Of records that meet in an item one had a text that is too long for it: those that have another for its field are decided anew."""
    kind = str((tools.snapshot.data(post.key) or post.data).get("itemType"))
    lost = {schema.base_field(kind, name) for name in post.data if name not in found.data}
    for other in tools.ledger.records.awaiting(post.key, post.record):
        if lost.intersection(tools.ledger.records.work(other).record.fields):
            tools.ledger.records.again(other)


def tell_what_is_gone(tools: Tools, post: Post, receipt: Receipt) -> None:
    """Collections that were not there any more, without which the item was written."""
    for key in receipt.without:
        message = f"the collection {key} was taken away while this was written: the item is in the library without it"
        tools.ledger.records.add_problem(post.record, Problem("collection-gone", message))


def _post_notes(tools: Tools, run: Run, post: Post, found: Mended) -> None:
    """The notes of what had no place in the item, each once."""
    for note in found.notes:
        post_note(tools, run, post.record, [note_key(post.key, note.about)], note.html, post.key)


def _tell(tools: Tools, record: int, found: Mended) -> None:
    for problem in found.problems:
        tools.ledger.records.add_problem(record, problem)
