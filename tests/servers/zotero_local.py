"""The write half of the desktop's local API: the web API's objects under other rules.

As Zotero's own source has it (https://github.com/zotero/zotero, xpcom/server/server_localAPI.js): a version sent with an object
has to be the very one that it has; an object that is not there is taken for a new one, whatever version is sent; fields that
the type does not have become lines of Extra; lengths are not looked at; whatever goes wrong with one object is its 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.servers import zotero_basics as basics
from tests.servers import zotero_checks as checks
from tests.servers import zotero_dates as dates
from tests.servers import zotero_types as types
from tests.servers import zotero_views as views
from tests.servers import zotero_writes as writes
from tests.servers.base import Reply
from tests.servers.zotero_basics import Data, ObjectError, PoisonError, Sent
from tests.servers.zotero_routes import Route, route
from tests.servers.zotero_storage import Kind, Outcome, Stored, refused
from tests.servers.zotero_world import RefusalError
from tests.servers.zotero_writes import Call

NEEDS_VERSION = "If-Unmodified-Since-Version not provided"


def post(call: Call, kind: Kind) -> Reply:
    """Write up to fifty objects, each by itself; in the report a failed one names its key."""
    writes.fresh(call)
    sent = writes.decoded(call.request, list)
    if not sent:
        raise RefusalError(400, f"No {kind} provided")
    if len(sent) > writes.MOST:
        raise RefusalError(413, f"Cannot add more than {writes.MOST} {kind} at a time")
    report: dict[str, dict[str, Any]] = {"successful": {}, "success": {}, "unchanged": {}, "failed": {}}
    for index, each in enumerate(sent):
        _report(call, kind, each, report, str(index))
    writes.note_token(call)
    return views.told(report, views.versioned(call.shelf.version))


def _report(call: Call, kind: Kind, each: Any, report: dict[str, dict[str, Any]], index: str) -> None:
    key = each["key"] if isinstance(each, Mapping) and isinstance(each.get("key"), str) else ""
    try:
        outcome = _written(call, kind, key, each, index)
    except ObjectError as fault:
        code = fault.code if fault.code in {400, 412} else 400
        report["failed"][index] = {"key": key, "code": code, "message": str(fault)}
    except PoisonError as fault:
        report["failed"][index] = {"key": key, "code": 400, "message": f"'{fault}' must be a string"}
    else:
        _note(call, kind, outcome, report, index)


def _note(call: Call, kind: Kind, outcome: Outcome, report: dict[str, dict[str, Any]], index: str) -> None:
    if not outcome.changed:
        report["unchanged"][index] = outcome.stored.key
        return
    report["successful"][index] = views.shown(call.world, call.shelf, kind, outcome.stored)
    report["success"][index] = outcome.stored.key


def _written(call: Call, kind: Kind, key: str, each: Any, index: str) -> Outcome:
    if not isinstance(each, Mapping):
        raise ObjectError(400, f"Invalid value for index {index} in uploaded data; expected JSON {kind[:-1]} object")
    if key and not basics.KEY.match(key):
        raise ObjectError(400, f"Invalid key: '{key}'")
    held = call.shelf.objects[kind].get(key)
    _check_version(kind, held, each)
    return _save(call, kind, key or call.world.new_key(), each)


def _check_version(kind: Kind, held: Stored | None, sent: Sent) -> None:
    fault = refused(kind, held, sent.get("version"), strict=True) if held else None
    if fault:
        raise fault


def _save(call: Call, kind: Kind, key: str, sent: Sent) -> Outcome:
    held = call.shelf.objects[kind].get(key)
    if kind == "items":
        sent = softened(held.data if held else None, sent)
    return call.shelf.write(kind, key, sent, call.writer)


def softened(old: Data | None, sent: Sent) -> Data:
    """What of an item can be taken, and foreign fields as lines of Extra. Raises ObjectError for no item type, or none known."""
    kind = sent.get("itemType") or (old or {}).get("itemType")
    if not kind:
        raise ObjectError(400, "itemType property not provided")
    if kind not in types.all_types():
        raise ObjectError(400, f"Unknown itemType '{kind}'")
    known = {*types.fields(kind), *checks.SHAPES, *basics.BOOKKEEPING}
    known |= {*basics.ATTACHMENT_FIELDS, *basics.FILE_PROPERTIES} if kind == "attachment" else set()
    kept = {name: _tamed(kind, name, value) for name, value in sent.items() if name in known and _usable(name, value)}
    lines = [f"{name}: {value}" for name, value in sent.items() if name not in known and value and _scalar(value)]
    if lines and kind not in types.NOT_REGULAR:
        extra = kept.get("extra", (old or {}).get("extra", ""))
        kept["extra"] = "\n".join([*([extra] if extra else []), *lines])
    return kept


def _scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _usable(name: str, value: Any) -> bool:
    """An access date that is none is passed over."""
    return name != "accessDate" or not value or value == "CURRENT_TIMESTAMP" or bool(dates.access_date(str(value)))


def _tamed(kind: str, name: str, value: Any) -> Any:
    """Creator types that exist but do not belong here become the main one."""
    if name != "creators" or not isinstance(value, list):
        return value
    roles = types.creator_types(kind)
    strange = types.all_creator_types() - set(roles)
    return [
        {**person, "creatorType": roles[0]}
        if isinstance(person, Mapping) and person.get("creatorType") in strange
        else person
        for person in value
    ]


def single(call: Call, kind: Kind) -> Reply:
    """Write one object, by PUT or PATCH: what is not there is made, whatever version was sent."""
    sent = writes.decoded(call.request, dict, "Uploaded data must be a JSON object")
    key, header = call.part("key"), writes.fresh(call)
    held = call.shelf.objects[kind].get(key)
    if held and sent.get("version") is None and header is None:
        raise RefusalError(428, NEEDS_VERSION)
    try:
        _check_version(kind, held, sent)
        _save(call, kind, key, sent)
    except ObjectError as fault:
        raise RefusalError(fault.code if fault.code in {400, 412} else 400, str(fault)) from None
    except PoisonError as fault:
        raise RefusalError(400, f"'{fault}' must be a string") from None
    return _done(call)


def delete_one(call: Call, kind: Kind) -> Reply:
    """Take one object away for good."""
    key = call.part("key")
    held = call.shelf.objects[kind].get(key)
    if held is None:
        raise RefusalError(404, "Not found")
    version = writes.expected(call.request)
    if version is None:
        raise RefusalError(428, NEEDS_VERSION)
    if held.version > version:
        words = f"{kind[:-1]} has been modified since specified version"
        raise RefusalError(412, f"{words} (expected {version}, found {held.version})")
    call.shelf.delete(kind, [key])
    return _done(call)


def delete_many(call: Call, kind: Kind) -> Reply:
    """Take up to fifty objects away for good; the library's version is needed."""
    if writes.fresh(call) is None:
        raise RefusalError(428, NEEDS_VERSION)
    name = f"{kind[:-1]}Key"
    keys = [key for key in call.query.get(name).split(",") if key]
    if not keys:
        raise RefusalError(400, f"'{name}' not provided")
    if len(keys) > writes.MOST:
        raise RefusalError(413, f"Cannot delete more than {writes.MOST} objects at a time")
    call.shelf.delete(kind, keys)
    return _done(call)


def _done(call: Call) -> Reply:
    return Reply(204, b"", {**views.SPEAKS, **views.versioned(call.shelf.version)})


def _objects(kind: Kind) -> tuple[Route, Route]:
    write = partial(single, kind=kind)
    return (
        route(f"/{kind}", POST=partial(post, kind=kind), DELETE=partial(delete_many, kind=kind)),
        route(f"/{kind}/KEY", PUT=write, PATCH=write, DELETE=partial(delete_one, kind=kind)),
    )


ROUTES = (*_objects("items"), *_objects("collections"), route("/tags", DELETE=writes.delete_tags))
