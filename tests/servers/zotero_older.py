"""The schema that the stand-in tells at `/schema`, and a server whose schema is older: it refuses what it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.core import schema
from tests.servers import zotero_types as types
from tests.servers.base import Reply
from tests.servers.zotero_basics import Data, ObjectError, Sent

HEADER = "Zotero-Schema-Version"


@dataclass(frozen=True, slots=True)
class OlderSchema:
    """What a server with an older schema lacks.

    everywhere: fields that no type has.  of: fields that single types do not have.  types: item types that there are not.
    says_so: whether its answers carry the schema's version.  whole: whether it has `/schema`.
    """

    version: int = 40
    everywhere: frozenset[str] = frozenset()
    of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    says_so: bool = True
    whole: bool = True

    def check(self, old: Data | None, sent: Sent) -> None:
        """Raise ObjectError for what is not known, in the server's words."""
        kind = str(sent.get("itemType") or (old or {}).get("itemType"))
        if kind in self.types:
            raise ObjectError(400, f"'{kind}' is not a valid itemType")
        for name, value in sent.items():
            if name in self.everywhere:
                raise ObjectError(400, f"Invalid property '{name}'")
            if value and name in self.of.get(kind, frozenset()):
                raise ObjectError(400, f"'{name}' is not a valid field for type '{kind}'")

    def lacks(self, kind: str) -> frozenset[str]:
        """The fields that a type does not have here."""
        return self.everywhere | self.of.get(kind, frozenset())

    def stamped(self, reply: Reply) -> Reply:
        """An answer that says which schema is known, or nothing of it."""
        rest = {name: value for name, value in reply.headers.items() if name != HEADER}
        own = {HEADER: str(self.version)} if self.says_so and HEADER in reply.headers else {}
        return Reply(reply.status, reply.body, {**rest, **own}, reply.keep)


def told(older: OlderSchema | None) -> dict[str, Any] | None:
    """All types with their fields and creator types, which zotero.org tells and its server code by itself does not: then None."""
    if older is None or not older.whole:
        return None
    known = [_kind(kind, older) for kind in sorted(schema.ITEM_TYPES - older.types)]
    return {"version": older.version, "itemTypes": known}


def _kind(kind: str, older: OlderSchema) -> dict[str, Any]:
    return {
        "itemType": kind,
        "fields": [{"field": name} for name in types.fields(kind) if name not in older.lacks(kind)],
        "creatorTypes": [{"creatorType": role} for role in types.creator_types(kind)],
    }
