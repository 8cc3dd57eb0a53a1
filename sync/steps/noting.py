"""Notes under items: each is written once, whatever became of it, unless zotdrop itself took it back."""

from __future__ import annotations

from collections.abc import Sequence

from sync.core.items import note_item
from sync.core.plan import Place
from sync.core.verdicts import Match, Verdict
from sync.state.outbox import Post
from sync.steps.tools import Run, Tools

_ITSELF = Match(Verdict.SAME, ("same-item",))


def post_note(tools: Tools, run: Run, record: int, keys: Sequence[str], html: str, parent: str) -> Post | None:
    """The note into the outbox; None if it was ever written. One that lies in the trash by our own undo comes back.

    keys: under which it may have been written; under the first it is.
    """
    if any(map(tools.outbox.busy, keys)):
        return None
    known = [key for key in keys if tools.snapshot.known(key)]
    if not known:
        return tools.outbox.put(run.id, record, keys[0], 0, note_item(html, parent))
    for twin in filter(None, (tools.snapshot.child(key, _ITSELF) for key in known)):
        if twin.undone and twin.place is Place.TRASH:
            return tools.outbox.put(run.id, record, twin.key, twin.version, {"deleted": 0})
    return None
