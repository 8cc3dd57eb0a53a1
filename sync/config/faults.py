"""Faults of a config as a person reads them: where, what is needed, what stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from types import UnionType
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel

from sync.config.checks import near
from sync.config.options import Config, DesktopLibrary, EmbeddedLibrary, Inbox, Review, Search, ZoteroLibrary
from sync.config.reviews import unknown
from sync.secrets import looks_like_key

KEYS_PAGE = "https://www.zotero.org/settings/keys"

Place: TypeAlias = tuple[str, ...]  # of an option in the file: ("library", "main", "id")


def place_of(error: Any) -> Place:
    """Where in the file an error of pydantic lies."""
    place = [part for part in error["loc"] if isinstance(part, str) and part != "[key]"]
    if place[0] == "library" and len(place) > 2:
        del place[2]  # the kind, which pydantic puts in between
    return tuple(place)


_NOT_A_SECTION = frozenset({"model_type", "model_attributes_type", "dict_type"})


def told(file: str, error: Any, given: Mapping[Place, tuple[str, str]]) -> str:
    """One fault as a person reads it: `zotdrop.toml: [library.main] id: a whole number is needed, got "abc"`."""
    place = place_of(error)
    empty = error["type"] == "too_short" and error["ctx"]["field_type"] == "Dictionary"
    whole = empty or error["type"] in {*_NOT_A_SECTION, "union_tag_invalid"} or error["loc"][-1] == "[key]"
    section, key = (place, "") if whole else (place[:-1], place[-1])
    is_needed = section[:1] == ("library",) and key in {"id", "api_key"} and error["type"] != "extra_forbidden"
    hint = f"; yours stands at {KEYS_PAGE}" if is_needed else ""
    if place in given:
        return f"{given[place][0]}: {_expected(error, section, key)}{hint}"
    where = f"[{'.'.join(section)}] " if section else ""
    return f"{file}: {where}{key}{': ' if key else ''}{_expected(error, section, key)}{hint}"


_EXPECTED = {
    "string_type": "a text in quotes is needed",
    "string_too_short": "a text that is not empty is needed",
    "string_pattern_mismatch": "fill, keep, fill SOURCE or prefer SOURCE is needed, SOURCE being pubmed or crossref",
    "int_type": "a whole number is needed",
    "float_type": "a number is needed",
    "finite_number": "a number is needed",
    "greater_than_equal": "a number of at least {ge:g} is needed",
    "greater_than": "a number above {gt:g} is needed",
    "less_than_equal": "a number of at most {le:g} is needed",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed",
    "date_type": "a date such as 2026-11-20, without quotes, is needed",
    "literal_error": "one of {expected} is needed",
    "missing": "is needed",
    "too_short": "at least one is needed",
    "union_tag_invalid": "kind: one of {expected_tags} is needed",
}


def _expected(error: Any, section: Place, key: str) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _no_option(key, section, error["loc"])
    if kind in _NOT_A_SECTION:
        return _section_needed(section)
    if kind == "value_error":
        told, got = str(context["error"]), error.get("input")
        return told.replace(got, "...") if isinstance(got, str) and looks_like_key(got) else told
    told = _EXPECTED.get(kind, str(error["msg"]).lower()).format(**context)
    return told if kind in {"missing", "too_short"} else told + _got(context.get("tag", error.get("input")), told)


def _no_option(key: str, section: Place, loc: Any) -> str:
    """What to do about an option that is none here; that of a library of another kind is one there."""
    if section[:1] != ("library",) or len(loc) < 4:
        return "there is no such option" + near(key, _known(section))
    fields = {kind: model.model_fields for kind, model in _KINDS.items()}
    others = [f'"{kind}"' for kind, known in fields.items() if key in known]
    if others:
        return f'is no option of kind = "{loc[2]}"; it belongs to kind = {" or ".join(others)}'
    return "there is no such option" + near(key, fields[loc[2]])


def _got(value: Any, told: str) -> str:
    """What stands there, and which of the words told it may have meant; nothing that may be or hold a key."""
    if isinstance(value, (dict, list)):
        return f", got a {'table' if isinstance(value, dict) else 'list'}"
    if looks_like_key(str(value)):
        return ", got what looks like a key"
    if isinstance(value, (date, time)):
        return f", got {value}"
    return f", got {value!r:.60}" + (near(value, re.findall(r"'([^']+)'", told)) if isinstance(value, str) else "")


_KINDS: dict[str, type[BaseModel]] = {"embedded": EmbeddedLibrary, "zotero": ZoteroLibrary, "desktop": DesktopLibrary}
_NAMED: dict[str, tuple[type[BaseModel], ...]] = {
    "library": tuple(_KINDS.values()),
    "inbox": (Inbox,),
    "review": (Review,),
}


def _section_needed(section: Place) -> str:
    """What stands there is no section; its value is not shown, it may be anything."""
    first = section[0]
    if first in _NAMED and (len(section) == 1 or section[1] in _known((first, ""))):
        return f"options stand in a section with a name of its own, such as [{first}.{'default' if first == 'inbox' else 'main'}]"
    return "a section is needed"


def _known(section: Place) -> list[str]:
    """The options that a section has."""
    if section and section[0] in _NAMED:
        models: tuple[type[BaseModel], ...] = (Search,) if "search" in section else _NAMED[section[0]]
        return [name for model in models for name in model.model_fields]
    model: Any = Config
    for name in section:
        info = model.model_fields.get(name)
        model = _section_of(info.annotation) if info else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
    return [name for name in model.model_fields if name != "warnings"]


def _section_of(annotation: Any) -> Any:
    """The section itself where it may be left out (`Webhook | None`)."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return parts[0] if len(parts) == 1 and isinstance(annotation, UnionType) else annotation


def loose_ends(data: Mapping[str, Any]) -> Iterator[str]:
    """Names that lead nowhere, told together with all that is wrong in single options."""
    if "warnings" in data:
        yield "warnings: there is no such option"
    libraries, inboxes = data.get("library", {"main": {}}), data.get("inbox", {})
    if not isinstance(libraries, dict) or not isinstance(inboxes, dict):
        return
    for name, inbox in inboxes.items() if inboxes else [("default", {})]:
        library = inbox.get("library", "main") if isinstance(inbox, dict) else "main"
        if libraries and isinstance(library, str) and library not in libraries:
            yield f"[inbox.{name}] library: there is no [library.{library}]; there is {', '.join(libraries)}"
        yield from _loose_review(name, inbox, data.get("review", {}))


def _loose_review(name: str, inbox: Any, reviews: Any) -> Iterator[str]:
    """An inbox whose review is not there. What is no text, or no section, is a fault that is told already."""
    said = inbox.get("review", "") if isinstance(inbox, dict) else ""
    sections = isinstance(reviews, dict) and all(
        isinstance(own, dict) and isinstance(own.get("search", {}), dict) for own in reviews.values()
    )
    fault = unknown(reviews, said) if said and isinstance(said, str) and sections else ""
    if fault:
        yield f"[inbox.{name}] review: {fault}"
