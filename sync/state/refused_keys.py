"""API keys that a service refused, kept as salted hashes, so that none is sent again before it changes.

zotero.org locks a whole address out after a handful of wrong keys, for right ones too: a service that starts again and again
with a wrong key would do that by itself.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sync.state.database import Database

ROUNDS = 100_000  # of hashing: what stands in a key's place by mistake may be a password


class RefusedKeys:
    """The table `refused_keys`. address: host and port of a service.  A key itself is never written down."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> list[dict[str, str]]:
        """Where keys were refused, when, and what a person was told; nothing of the keys."""
        rows = self._db.rows("SELECT address, at, why FROM refused_keys ORDER BY at, address")
        return [{"address": row[0], "at": row[1], "why": row[2]} for row in rows]

    def find(self, address: str, key: str) -> tuple[str, str] | None:
        """When this key was refused there, and what a person was told; None if it was not."""
        row = self._db.one("SELECT at, why FROM refused_keys WHERE address = ? AND salt = ?", self._place(address, key))
        return (row[0], row[1]) if row else None

    def keep(self, address: str, key: str, at: str, why: str) -> None:
        """Note that the service at this address refused the key, and what a person was told."""
        self.forget(address, key)
        salt = secrets.token_hex(16)
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT INTO refused_keys (address, salt, hash, at, why) VALUES (?, ?, ?, ?, ?)",
                (address, salt, _hash(salt, key), at, why),
            )

    def forget(self, address: str, key: str) -> None:
        """The service takes the key after all."""
        with self._db.transaction() as sql:
            sql.execute("DELETE FROM refused_keys WHERE address = ? AND salt = ?", self._place(address, key))

    def _place(self, address: str, key: str) -> tuple[str, str]:
        """The row of this key, by address and salt; a salt that nobody has if there is none."""
        rows = self._db.rows("SELECT salt, hash FROM refused_keys WHERE address = ?", (address,))
        return address, next((row[0] for row in rows if secrets.compare_digest(row[1], _hash(row[0], key))), "")


@dataclass(frozen=True, slots=True)
class KeyMemory:
    """What is remembered of one key at one address. now: an instant, ISO 8601.

    Each question opens the ledger for itself, so that nobody else's transaction is touched.
    """

    ledger: Path
    address: str
    key: str = field(repr=False)
    now: Callable[[], str]

    def refusal(self) -> str:
        """What a person was told when the service refused this key, and since when it is not sent; empty if it may be sent."""
        with self._table() as table:
            found = table.find(self.address, self.key)
        if not found:
            return ""
        at, why = found
        return f"{why}; refused on {at}, it is not sent again until it changes (`zotdrop check` tries it once more)"

    def refused(self, why: str) -> None:
        """The service does not know this key."""
        with self._table() as table:
            table.keep(self.address, self.key, self.now(), why)

    def accepted(self) -> None:
        """The service knows this key."""
        with self._table() as table:
            table.forget(self.address, self.key)

    @contextmanager
    def _table(self) -> Iterator[RefusedKeys]:
        with closing(Database(self.ledger)) as database:
            yield RefusedKeys(database)


def _hash(salt: str, key: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", key.encode(), salt.encode(), ROUNDS).hex()
