"""Lists as Zotero's API gives them: which objects a query means, in what order, which page, and the headers with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlencode

from tests.servers import zotero_basics as basics
from tests.servers import zotero_types as types
from tests.servers.zotero_storage import Kind, Stored

Params: TypeAlias = Sequence[tuple[str, str]]

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
LISTING = frozenset({"keys", "versions"})  # formats without a limit of their own
DOWNWARDS = frozenset({"dateAdded", "dateModified", "date"})
SORTS = (
    *("dateAdded", "dateModified", "title", "creator", "itemType", "date", "publisher", "publicationTitle"),
    *("journalAbbreviation", "language", "accessDate", "libraryCatalog", "callNumber", "rights", "addedBy", "numItems"),
)
SHOWN_PARAMS = frozenset(
    {
        "format",
        "include",
        "itemKey",
        "itemType",
        "collectionKey",
        "limit",
        "q",
        "qmode",
        "since",
        "sort",
        "direction",
        "tag",
    }
    | {"includeTrashed", "start"}
)


class QueryError(Exception):
    """A parameter has a value that it cannot have; 400."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is asked for. limit None: all of it.  since None: everything."""

    params: Params
    format: str = "json"
    start: int = 0
    limit: int | None = DEFAULT_LIMIT
    sort: str = "dateModified"
    direction: str = "desc"
    since: int | None = None

    def get(self, name: str) -> str:
        """The first value of a parameter, or nothing."""
        return next((value for key, value in self.params if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a parameter."""
        return [value for key, value in self.params if key == name]


def query(params: Params, kind: str = "items", *, unlimited: bool = False) -> Query:
    """A query as the server understands it; a limit that is no number is passed over.

    unlimited: a list without a default page size (the desktop's).  Raises QueryError.
    """
    asked = Query(params)
    layout = asked.get("format") or "json"
    sort = asked.get("sort") or ("dateModified" if kind == "items" else "title")
    if sort not in SORTS:
        raise QueryError(f"Invalid 'sort' value '{sort}'")
    if asked.get("qmode") not in {"", "titleCreatorYear", "everything"}:
        raise QueryError(f"Invalid 'qmode' value '{asked.get('qmode')}'")
    direction = asked.get("direction") or ("desc" if sort in DOWNWARDS else "asc")
    limit = _limit(asked, layout, unlimited=unlimited)
    start = int(asked.get("start")) if asked.get("start").isdecimal() else 0
    return Query(params, layout, start, limit, sort, direction, _since(asked))


def _limit(asked: Query, layout: str, *, unlimited: bool) -> int | None:
    given = asked.get("limit")
    if given.isdecimal() and int(given):
        return int(given) if layout in LISTING or unlimited else min(int(given), MAX_LIMIT)
    if asked.get("itemKey") or asked.get("collectionKey"):
        return MAX_LIMIT
    return None if layout in LISTING or unlimited else DEFAULT_LIMIT


def _since(asked: Query) -> int | None:
    given = asked.get("since")
    if given and not given.isdecimal():
        raise QueryError("Invalid value for 'since' parameter")
    return int(given) if given else None


def chosen(kind: Kind, pool: Sequence[Stored], asked: Query) -> list[Stored]:
    """The objects of the pool that the query means, in its order."""
    tests: list[Callable[[Stored], bool]] = []
    if asked.since is not None:
        since = asked.since
        tests.append(lambda held: held.version > since)
    keys = asked.get("itemKey" if kind == "items" else "collectionKey")
    if keys:
        wanted = {key for key in keys.split(",") if basics.KEY.match(key)}
        tests.append(lambda held: held.key in wanted)
    tests += [_tagged(value) for value in asked.all("tag")] if kind == "items" else []
    tests += [_typed(value) for value in asked.all("itemType")] if kind == "items" else []
    tests += [_searched(word) for word in asked.get("q").split()]
    found = [held for held in pool if all(test(held) for test in tests)]
    return ordered(found, asked)


def visible(asked: Query, held: Stored) -> bool:
    """Whether an ordinary list shows it: not what lies in the trash, unless that was asked for."""
    return asked.get("includeTrashed") == "1" or not held.data.get("deleted")


def _values(text: str) -> tuple[bool, list[str]]:
    wanted = not text.startswith("-")
    return wanted, (text if wanted else text[1:]).removeprefix("\\").split(" || ")


def _tagged(text: str) -> Callable[[Stored], bool]:
    wanted, names = _values(text)
    return lambda held: any(tag["tag"] in names for tag in held.data.get("tags", ())) is wanted


def _typed(text: str) -> Callable[[Stored], bool]:
    wanted, names = _values(text)
    stranger = next((name for name in names if name not in {*types.all_types(), "annotation"}), None)
    if stranger:
        raise QueryError(f"Invalid itemType '{stranger}'")
    return lambda held: (held.data["itemType"] in names) is wanted


def _searched(word: str) -> Callable[[Stored], bool]:
    low = word.casefold()
    return lambda held: any(low in text for text in _texts(held)) or _date(held)[:4] == low


def _texts(held: Stored) -> list[str]:
    if "itemType" not in held.data:
        return [str(held.data["name"]).casefold()]
    names = [
        f"{p.get('firstName', '')} {p.get('lastName', '')}{p.get('name', '')}" for p in held.data.get("creators", ())
    ]
    return [text.strip().casefold() for text in (types.title(held.data), *names)]


def _date(held: Stored) -> str:
    return str(held.data.get(types.own(held.data["itemType"], "date"), "")) if "itemType" in held.data else ""


def ordered(found: Sequence[Stored], asked: Query) -> list[Stored]:
    """In the order that was asked for; among equals by version, then by creation, in the same direction."""
    return sorted(
        found,
        key=lambda held: (_sort_value(held, asked.sort), held.version, held.number),
        reverse=asked.direction == "desc",
    )


def _sort_value(held: Stored, sort: str) -> str:
    if "itemType" not in held.data:
        return str(held.data["name"]).casefold()
    if sort in SORT_VALUES:
        return SORT_VALUES[sort](held)
    return str(held.data.get(sort, "")).casefold()


def _creator(held: Stored) -> str:
    first: Mapping[str, str] = next(iter(held.data.get("creators", ())), {})
    return str(first.get("lastName") or first.get("name") or "").casefold()


SORT_VALUES: Mapping[str, Callable[[Stored], str]] = {
    "dateAdded": lambda held: held.added,
    "dateModified": lambda held: held.modified,
    "title": lambda held: types.title(held.data).casefold(),
    "creator": _creator,
    "itemType": lambda held: types.label(held.data["itemType"]),
    "date": _date,
}


def page(found: Sequence[Any], asked: Query) -> Sequence[Any]:
    """The part of a list that is shown."""
    return found[asked.start : None if asked.limit is None else asked.start + asked.limit]


def headers(total: int, asked: Query, url: str, alternate: str) -> dict[str, str]:
    """`Total-Results` and `Link`. url: the list's own address; alternate: the web page's."""
    links = [f'<{_address(url, asked, start)}>; rel="{name}"' for name, start in _turns(total, asked)]
    return {"Total-Results": str(total), "Link": ", ".join([*links, f'<{alternate}>; rel="alternate"'])}


def _turns(total: int, asked: Query) -> list[tuple[str, int]]:
    if asked.limit is None:
        return []
    back = [("first", 0), ("prev", max(0, asked.start - asked.limit))] if asked.start else []
    if asked.start + asked.limit >= total:
        return back
    return [*back, ("next", asked.start + asked.limit), ("last", (total - 1) // asked.limit * asked.limit)]


def _address(url: str, asked: Query, start: int) -> str:
    usual = {"format": "json", "direction": "desc" if asked.sort in DOWNWARDS else "asc"}
    kept = [(n, v) for n, v in asked.params if n in SHOWN_PARAMS - {"start", "limit"} and usual.get(n) != v]
    kept += [("limit", str(asked.limit))] if asked.get("limit") and asked.limit != DEFAULT_LIMIT else []
    kept += [("start", str(start))] if start else []
    return f"{url}?{urlencode(sorted(kept, key=lambda pair: pair[0]))}".removesuffix("?")
