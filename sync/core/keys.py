"""Item keys that are chosen by us before the first write, and come out the same whenever the same entry is read again."""

from __future__ import annotations

import hashlib

# The characters of Zotero's object keys: no 0, 1, O (https://www.zotero.org/support/dev/web_api/v3/write_requests).
ALPHABET = "23456789ABCDEFGHIJKLMNPQRSTUVWXYZ"
LENGTH = 8


def derived_key(*parts: object) -> str:
    """Eight characters of `ALPHABET`, derived by hash from the parts; the same parts always give the same key."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(letters)


def item_uri(library: str, key: str) -> str:
    """The address by which Zotero relates items: `http://zotero.org/users/123/items/ABCD2345`; empty where it cannot be known.

    library: an identity as `Library.identity` gives it.
    """
    kind, _, place = library.partition(":")
    if kind == "embedded":
        place = f"users/local/{derived_key(place)}"
    return f"http://zotero.org/{place.partition('@')[0]}/items/{key}" if kind != "desktop" else ""


def entry_key(library: str, sha256: str, anchor: int, salt: int = 0) -> str:
    """The key of the item that an entry becomes: library identity, hash of the drop, byte offset of its first tagged line."""
    return derived_key("item", library, sha256, anchor, salt)


def note_key(parent: str, which: int | str) -> str:
    """The key of a child note of an item: of the nth (from 1) that came with it, or of a notice, by its identity."""
    return derived_key("note", parent, which)


def attachment_key(parent: str, what: str) -> str:
    """The key of a child attachment of an item: of a file, by its place beside the drop, or of an address."""
    return derived_key("attachment", parent, what)
