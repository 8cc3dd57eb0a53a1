"""What came with a record: addresses and files become child attachments of its new item, and files are uploaded, once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sync.core.attachments import file_item, file_paths, link_item, web_address
from sync.core.keys import attachment_key
from sync.core.record import Attachment, Problem
from sync.drops import files
from sync.drops.files import Found
from sync.errors import Interrupted, Outage
from sync.libraries.base import NO_RIGHT, QUOTA, File, FileAnswer, Kept, Refusal
from sync.state.outbox import Post
from sync.state.uploads import Upload
from sync.steps.keeping import opened
from sync.steps.tools import Rules, Run, Tools

log = logging.getLogger("zotdrop.attaching")

_WAITS = "the items are written without them; the files stay where they are, and each run tries again"
# What a library says of all files at once.
_NO_FILES = {
    QUOTA: Problem(
        "file-quota",
        f"there is no room for more files ({{said}}); in a group the room is that of its owner: {_WAITS}",
    ),
    NO_RIGHT: Problem(
        "file-no-right",
        f"the API key may not upload files ({{said}}); give it file access, and in a group let its members edit files: {_WAITS}",
    ),
}
_OVER = frozenset({"file-waits", *(problem.code for problem in _NO_FILES.values())})  # once a file has arrived
_AFTER = {Kept.STORED: "done", Kept.THERE: "done", Kept.THEIRS: "theirs", Kept.GONE: "gone"}


@dataclass(frozen=True, slots=True)
class Child:
    """Whose attachments they are: a record, and the key of its item."""

    record: int
    parent: str


def post_attachments(
    tools: Tools, run: Run, rules: Rules, drop: int, child: Child, attachments: Iterable[Attachment]
) -> list[Post]:
    """The attachments of a new item, as the inbox wants them: in the outbox, and files noted with it."""
    wanted = attachments if rules.attachments != "off" else ()
    posts: dict[str, Post] = {}
    for attachment in wanted:
        address = web_address(attachment.url)
        key = attachment_key(child.parent, address)
        if address and key not in posts:
            item = link_item(address, attachment.title, child.parent)
            posts[key] = tools.outbox.put(run.id, child.record, key, 0, item)
        elif not address and rules.attachments == "files":
            posts |= {post.key: post for post in _post_file(tools, run, rules, drop, child, attachment, posts)}
    return list(posts.values())


def _post_file(
    tools: Tools, run: Run, rules: Rules, drop: int, child: Child, attachment: Attachment, known: Iterable[str]
) -> Iterator[Post]:
    """The attachment of a file that may be uploaded; what may not is told."""
    found = _found(tools, rules, drop, attachment.url)
    if isinstance(found, Problem):
        tools.ledger.records.add_problem(child.record, found)
        return
    key = attachment_key(child.parent, found.place) if found else ""
    if found and key not in known:
        tools.uploads.put(_upload_of(child.record, key, found))
        item = file_item(found.name, found.content_type, attachment.title, child.parent)
        yield tools.outbox.put(run.id, child.record, key, 0, item)


def _found(tools: Tools, rules: Rules, drop: int, named: str) -> Found | Problem | None:
    """The file that an attachment names; None where it names none."""
    paths = file_paths(named)
    if not paths:
        return None
    if not tools.library.takes_files:
        return Problem("file-not-taken", f"{named}: no files can be uploaded to this library; attach it in Zotero")
    folder = tools.uploads.folder(drop)
    if folder is None:
        return Problem("file-missing", f"{named}: where the drop lay is not known any more; attach it in Zotero")
    return files.find(named, paths, folder, _bounds(folder, rules.root), rules.attachment_max_mb)


def _bounds(folder: Path, root: Path | None) -> Path:
    """What files may lie in: the inbox of a drop that lies in one, else the drop's own folder."""
    return root if root and folder.resolve().is_relative_to(root.resolve()) else folder


def _upload_of(record: int, key: str, found: Found) -> Upload:
    return Upload(record, key, found.path, found.name, found.content_type, found.md5, found.size, found.mtime)


def upload_files(tools: Tools, run: Run, drop: int | None = None) -> None:
    """Upload what waits, of one drop or of all. What a library says of all files at once ends it for this run, and is told once.

    Raises Interrupted; what is not uploaded stays for the next run.
    """
    for upload in tools.uploads.open(drop):
        if tools.stop():
            raise Interrupted("stopped between two files; the next run goes on from here")
        if run.no_files is None:
            _upload(tools, run, upload)
        if run.no_files is not None:
            tools.ledger.records.add_problem(upload.record, run.no_files)
            run.no_files = replace(run.no_files, message="")  # told once


def _upload(tools: Tools, run: Run, upload: Upload) -> None:
    try:
        with opened(tools, upload) as data:
            kept = tools.library.upload(
                File(upload.key, upload.name, upload.content_type, upload.md5, upload.size, upload.mtime, data)
            )
    except files.Changed as changed:
        _close(tools, upload, "changed", changed.problem)
    except OSError as fault:
        said = f"{upload.path}: cannot be read ({fault.strerror or fault}); attach it in Zotero"
        _close(tools, upload, "changed", Problem("file-unreadable", said))
    except Outage as fault:
        _no_more(run, Problem("file-waits", f"{fault}: {_WAITS}"))
    else:
        _settle(tools, run, upload, kept)


def _settle(tools: Tools, run: Run, upload: Upload, kept: FileAnswer) -> None:
    if not isinstance(kept, Refusal):
        theirs = Problem("file-theirs", f"{upload.name}: the attachment has another file by now, which stays")
        _close(tools, upload, _AFTER[kept], theirs if kept is Kept.THEIRS else None)
        run.written += kept is Kept.STORED
    elif kept.code in _NO_FILES:
        problem = _NO_FILES[kept.code]
        _no_more(run, replace(problem, message=problem.message.format(said=kept.message)))
    else:
        said = f"{upload.name}: the library does not take it ({kept.message}); attach it in Zotero"
        _close(tools, upload, "refused", Problem(f"file-refused-{kept.code}", said))


def _close(tools: Tools, upload: Upload, state: str, problem: Problem | None) -> None:
    with tools.ledger.transaction():
        tools.uploads.close(upload.key, state)
        tools.ledger.records.take_back(upload.record, _OVER)
        if problem:
            tools.ledger.records.add_problem(upload.record, problem)


def _no_more(run: Run, problem: Problem) -> None:
    log.warning("%s", problem.message)
    run.no_files = problem
