"""Zotero's own way to upload a file: ask leave, send the bytes to where it says, register them. Never over a file that is there.

Source: https://www.zotero.org/support/dev/web_api/v3/file_upload, and ItemsController of https://github.com/zotero/dataserver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sync.libraries.api import Api, Said
from sync.libraries.base import File, FileAnswer, Kept, Refusal

CHUNK = 1 << 20  # bytes in memory at once
_TAKEN = 412  # `If-None-Match: * set but file exists`
_NOT_THERE = 404
_UNCONDITIONAL = 428


@dataclass(frozen=True, slots=True)
class Leave:
    """Where the bytes go, between which others, and the name under which they are registered."""

    address: str
    content_type: str
    prefix: bytes
    suffix: bytes
    upload: str


def upload(api: Api, file: File) -> FileAnswer:
    """Upload a file to its attachment item. What an earlier try got done (bytes sent, registered) is not done twice."""
    asked = api.post_file(file.key, _described(file))
    if asked.status >= 400:
        return _refused(api, file, asked)
    if isinstance(asked.data, dict) and asked.data.get("exists"):
        return Kept.STORED  # the bytes were known, and have been given to the item
    leave = _leave(api, asked.data)
    _send(api, file, leave)
    registered = api.post_file(file.key, {"upload": leave.upload})
    if registered.status >= 400 and registered.status not in {_TAKEN, _NOT_THERE}:
        raise api.away(f"{registered.words}: {file.name} could not be registered; it will be uploaded again")
    return _refused(api, file, registered) if registered.status >= 400 else Kept.STORED


def _described(file: File) -> dict[str, object]:
    return {
        "md5": file.md5,
        "filename": file.name,
        "filesize": file.size,
        "mtime": file.mtime,
        "contentType": file.content_type,
    }


def _refused(api: Api, file: File, said: Said) -> FileAnswer:
    if said.status == _TAKEN:
        return _held(api, file)
    if said.status == _NOT_THERE:
        return Kept.GONE
    if said.status == _UNCONDITIONAL:
        raise RuntimeError(f"a file was sent without its condition: {said.words}")
    return Refusal(file.key, said.status, said.words)


def _held(api: Api, file: File) -> Kept:
    """Whose file the item has."""
    found = next(iter(api.items([file.key])), None)
    if found is None:
        return Kept.GONE
    return Kept.THERE if found["data"].get("md5") == file.md5 else Kept.THEIRS


def _leave(api: Api, data: Any) -> Leave:
    """The leave that was given. Raises Outage for what is none, or names an address that is none of the web."""
    told = data if isinstance(data, dict) else {}
    parts = [told.get(name) for name in ("url", "contentType", "prefix", "suffix", "uploadKey")]
    if not all(isinstance(part, str) for part in parts):
        raise api.away("its leave to upload a file is none; it will be asked again")
    address, kind, prefix, suffix, key = (str(part) for part in parts)
    if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname:
        raise api.away(f"it names {address[:80]!r} as the place for files, which is no address of the web")
    return Leave(address, kind, prefix.encode(), suffix.encode(), key)


def _send(api: Api, file: File, leave: Leave) -> None:
    length = len(leave.prefix) + file.size + len(leave.suffix)
    headers = {"Content-Type": leave.content_type, "Content-Length": str(length)}
    said = api.post_bytes(leave.address, lambda: _parts(api, file, leave), headers)
    if said.status >= 300:
        raise api.away(f"its file store answers {said.status} {said.words}".rstrip() + "; it will be uploaded again")


def _parts(api: Api, file: File, leave: Leave) -> Iterator[bytes]:
    """Exactly as many bytes as were announced. Raises Outage where the file has become shorter."""
    file.data.seek(0)
    left = file.size
    yield leave.prefix
    while chunk := file.data.read(min(CHUNK, left)) if left else b"":
        left -= len(chunk)
        yield chunk
    if left:
        raise api.away(f"{file.name} became shorter while it was sent")
    yield leave.suffix
