"""Keywords of a drop as tags of an item: automatic, a person's, by a table of the inbox, or none. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.core.text import squeeze

AUTOMATIC = 1  # Zotero's tag type for keywords that came with an import; type 0 (a person's tag) is not written out


@dataclass(frozen=True, slots=True)
class Keywords:
    """What becomes of keywords.

    how: `automatic`, `manual`, `mapped` or `off`.  table: of `mapped`, the tag of each keyword, by the keyword as `keyword` folds
    it; an empty tag drops it.  others: what of `mapped` becomes of a keyword that the table does not name: `automatic` or `off`.
    """

    how: str = "automatic"
    table: Mapping[str, str] = field(default_factory=dict)
    others: str = "off"

    def tags(self, words: Iterable[str]) -> list[dict[str, Any]]:
        """These keywords as Zotero tags, none twice. What the table names is a person's tag: the inbox's owner chose it."""
        found: dict[str, dict[str, Any]] = {}
        for word in words:
            for tag in self._tag(word):
                known = found.setdefault(tag["tag"], tag)
                if "type" in known and "type" not in tag:
                    found[tag["tag"]] = tag
        return list(found.values())

    def without_automatic(self) -> Keywords:
        """The same for a large drop, whose automatic tags would drown the others."""
        return Keywords("off" if self.how == "automatic" else self.how, self.table, "off")

    def _tag(self, word: str) -> list[dict[str, Any]]:
        how = self.how
        if how == "mapped":
            named = self.table.get(keyword(word))
            if named is not None:
                return [{"tag": named}] if named else []
            how = self.others
        return [{"tag": word, "type": AUTOMATIC}] if how == "automatic" else [{"tag": word}] if how == "manual" else []


AS_THEY_COME = Keywords()


def keyword(word: str) -> str:
    """A keyword as it is compared: without case and diacritics, with single blanks."""
    letters = unicodedata.normalize("NFKD", squeeze(word).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def table_of(rows: Mapping[str, str]) -> dict[str, str]:
    """The table of an inbox by the keywords as they are compared."""
    return {keyword(word): tag.strip() for word, tag in rows.items()}
