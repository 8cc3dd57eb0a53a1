"""The stand-in's file upload: leave is asked, bytes are sent to the file store, and registered.

Written after `_handleFileRequest` of Zotero's server code (https://github.com/zotero/dataserver, ItemsController) and
https://www.zotero.org/support/dev/web_api/v3/file_upload. Left out: partial uploads, ZIP files, If-Match, downloads.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl

from tests.servers import zotero_views as views
from tests.servers.base import Reply, Request
from tests.servers.zotero_storage import Shelf, Stored
from tests.servers.zotero_store import Described
from tests.servers.zotero_world import RefusalError, World
from tests.servers.zotero_writes import Call

STORE = "/storage/"  # stands for another host, which knows no API keys
BOUNDARY = "---------------------------uploadBoundary"
_MEGABYTE = 1024 * 1024
_EMPTY = (frozenset({"", "0"}), frozenset({""}))  # what is empty to PHP, and what is not set


def post(call: Call) -> Reply:
    """The two steps at the API: what is no registration asks leave."""
    item = _item(call)
    _may(call)
    _unconditional(call.request, item)
    form = dict(parse_qsl(call.request.body.decode(), keep_blank_values=True))
    return _register(call, item, form["upload"]) if "upload" in form else _ask(call, item, _described(form))


def receive(world: World, request: Request) -> Reply:
    """The file store: takes the bytes of a leave, in the form that it was told with."""
    upload = request.path.removeprefix(STORE)
    if {"authorization", "zotero-api-key"} & set(request.headers):
        return _xml(400, "Only one auth mechanism allowed")
    if "transfer-encoding" in request.headers:
        return _xml(501, "A header you provided implies functionality that is not implemented")
    if upload not in world.store.leaves or request.method != "POST":
        return _xml(403, "Access Denied")
    head, tail = (part.encode() for part in _envelope(upload))
    whole = request.headers.get("content-type") == _content_type()
    if not whole or not request.body.startswith(head) or not request.body.endswith(tail):
        return _xml(400, "MalformedPOSTRequest")
    sent = request.body[len(head) : len(request.body) - len(tail)]
    if hashlib.md5(sent).hexdigest() != world.store.leaves[upload].md5:
        return _xml(400, "BadDigest")
    world.store.sent[upload] = sent
    return _xml(201, "")


def _item(call: Call) -> Stored:
    item = call.shelf.objects["items"].get(call.part("key"))
    if item is None:
        raise RefusalError(404, "Item does not exist")
    if item.data["itemType"] != "attachment":
        raise RefusalError(400, "Item is not an attachment")
    if not item.data["linkMode"].startswith("imported_"):
        raise RefusalError(400, "Cannot upload file for linked file/URL attachment item")
    return item


def _may(call: Call) -> None:
    shelf = call.shelf
    if shelf.kind == "user" and not (call.key and call.key.files):
        raise RefusalError(403, "Forbidden")
    if shelf.kind == "group" and not call.world.groups[shelf.ident].may_edit_files(call.user):
        raise RefusalError(403, "You do not have file editing access")


def _unconditional(request: Request, item: Stored) -> None:
    if "if-none-match" not in request.headers:
        raise RefusalError(428, "If-Match/If-None-Match header not provided")
    if request.headers["if-none-match"] != "*":
        raise RefusalError(400, "Invalid value for If-None-Match header")
    if item.data.get("md5"):
        raise RefusalError(412, "If-None-Match: * set but file exists", headers=views.versioned(item.version))


def _described(form: dict[str, str]) -> Described:
    for name, missing in (
        ("md5", "MD5 hash not provided"),
        ("filename", "Filename not provided"),
        ("mtime", "File modification time not provided"),
        ("filesize", "File size not provided"),
    ):
        if form.get(name, "") in _EMPTY[name == "filesize"]:
            raise RefusalError(400, missing)
    if not re.fullmatch(r"[a-f0-9]{32}", form["md5"]):
        raise RefusalError(400, "Invalid MD5 hash")
    if not form["filesize"].isdecimal():
        raise RefusalError(400, "Invalid file size")
    kind = form.get("contentType", "")
    return Described(form["md5"], form["filename"], int(form["filesize"]), int(form["mtime"]), kind)


def _ask(call: Call, item: Stored, file: Described) -> Reply:
    _within_quota(call, file)
    store = call.world.store
    if file.md5 in store.files:
        if len(store.files[file.md5]) != file.size:
            raise RefusalError(500, "An error occurred")
        version = _give(call, item, file)
        return views.told({"exists": 1}, views.versioned(version))
    upload = call.world.new_key() * 4
    store.leaves[upload] = file
    prefix, suffix = _envelope(upload)
    return views.told(
        {
            "url": f"{call.world.url}{STORE}{upload}",
            "contentType": _content_type(),
            "prefix": prefix,
            "suffix": suffix,
            "uploadKey": upload,
        }
    )


def _register(call: Call, item: Stored, upload: str) -> Reply:
    store = call.world.store
    if upload not in store.leaves:
        raise RefusalError(400, "Upload key not found")
    if upload not in store.sent:
        raise RefusalError(400, "Remote file not found")
    file = store.leaves.pop(upload)
    store.files[file.md5] = store.sent.pop(upload)
    return Reply(204, b"", {**views.SPEAKS, **views.versioned(_give(call, item, file))})


def _give(call: Call, item: Stored, file: Described) -> int:
    sent = {"md5": file.md5, "mtime": file.mtime, "filename": file.filename}
    sent |= {"contentType": file.content_type} if file.content_type else {}
    return call.shelf.write("items", item.key, sent, call.writer).stored.version


def _within_quota(call: Call, file: Described) -> None:
    """A group's files count for its owner."""
    owner = call.world.groups[call.shelf.ident].owner if call.shelf.kind == "group" else call.shelf.ident
    used = sum(_used(call.world, shelf) for shelf in call.world.shelves.values() if _owner(call.world, shelf) == owner)
    more, quota = round(file.size / _MEGABYTE, 1), call.world.store.quota[owner]
    if used + file.size / _MEGABYTE > quota:
        headers = {"Zotero-Storage-Usage": f"{used:.1f}", "Zotero-Storage-Quota": f"{quota:g}"}
        said = f"File would exceed quota ({used:.1f} + {more} > {quota:g})"
        raise RefusalError(413, said, headers={**headers, "Zotero-Storage-UserID": str(owner)})


def _owner(world: World, shelf: Shelf) -> int:
    return world.groups[shelf.ident].owner if shelf.kind == "group" else shelf.ident


def _used(world: World, shelf: Shelf) -> float:
    held = (world.store.files.get(item.data.get("md5", ""), b"") for item in shelf.items())
    return sum(map(len, held)) / _MEGABYTE


def _envelope(upload: str) -> tuple[str, str]:
    """What stands before and behind the bytes."""
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\n{upload}\r\n'
    return f'{field}--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\n\r\n', f"\r\n--{BOUNDARY}--"


def _content_type() -> str:
    return f"multipart/form-data; boundary={BOUNDARY}"


def _xml(status: int, words: str) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{words}</Code></Error>' if words else ""
    return Reply.text(text, status, "application/xml")
