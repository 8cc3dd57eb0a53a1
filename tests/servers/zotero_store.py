"""Where the stand-in Zotero keeps files: bytes by their hash, leaves that were given, and how much room each user has."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

PLENTY = 300.0  # MB, what zotero.org gives everybody


@dataclass(frozen=True, slots=True)
class Described:
    """A file as the one who uploads it describes it."""

    md5: str
    filename: str
    size: int
    mtime: int
    content_type: str


@dataclass(slots=True)
class Store:
    """files: bytes by MD5, of those that are registered.  leaves, sent: by upload key.  quota: MB, by user."""

    files: dict[str, bytes] = field(default_factory=dict)
    leaves: dict[str, Described] = field(default_factory=dict)
    sent: dict[str, bytes] = field(default_factory=dict)
    quota: dict[int, float] = field(default_factory=lambda: defaultdict(lambda: PLENTY))
