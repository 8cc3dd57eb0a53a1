"""What stood in the drop for a new item goes with it where the inbox wants that: as a child note, or as a file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO

from sync.core.attachments import file_item
from sync.core.items import note_item
from sync.core.keys import attachment_key, note_key
from sync.core.originals import CHILD, CONTENT_TYPE, TITLE, Original, as_file, as_note, file_name
from sync.core.record import Problem
from sync.drops import files
from sync.state.drops import DropRow
from sync.state.originals import original_of
from sync.state.outbox import Post
from sync.state.uploads import Upload
from sync.state.works import Work
from sync.steps.tools import Rules, Run, Tools


def post_original(tools: Tools, run: Run, rules: Rules, row: DropRow, work: Work, key: str) -> list[Post]:
    """The original of a new item, in the outbox. A note that would be too long becomes a file, a file that the library cannot
    keep a note; where neither is possible, that is told.
    """
    text = original_of(tools.ledger.database, work.id) if rules.original != "off" else ""
    if not text:
        return []
    note = as_note(text)
    if note and (rules.original == "note" or not tools.library.takes_files):
        return [tools.outbox.put(run.id, work.id, note_key(key, CHILD), 0, note_item(note, key))]
    if tools.library.takes_files:
        return [_post_file(tools, run, row, work, key, as_file(text))]
    message = f"its original text has {len(text):,} letters, more than a note may have, and this library takes no files; it stays in the ledger"
    tools.ledger.records.add_problem(work.id, Problem("original-too-long", message))
    return []


@contextmanager
def opened(tools: Tools, upload: Upload) -> Iterator[BinaryIO]:
    """The bytes of what is to be uploaded, a file or an original. Raises `files.Changed` where they are no longer the same."""
    if upload.path is not None:
        with files.opened(upload.path, md5=upload.md5, size=upload.size, mtime=upload.mtime) as data:
            yield data
        return
    original = as_file(original_of(tools.ledger.database, upload.record))
    if original.md5 != upload.md5:
        raise files.Changed(
            Problem("original-gone", "its original text is not kept any more; the item stays without it")
        )
    yield io.BytesIO(original.data)


def _post_file(tools: Tools, run: Run, row: DropRow, work: Work, key: str, original: Original) -> Post:
    name, child = file_name(row.path), attachment_key(key, CHILD)
    arrived = datetime.strptime(work.arrived, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    mtime = int(arrived.timestamp() * 1000)
    tools.uploads.put(Upload(work.id, child, None, name, CONTENT_TYPE, original.md5, len(original.data), mtime))
    return tools.outbox.put(run.id, work.id, child, 0, file_item(name, CONTENT_TYPE, TITLE, key))
