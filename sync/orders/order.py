"""An order: what one sync, or another command that works on libraries, was asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sync.config import Config, reviews
from sync.errors import UsageFault


@dataclass(frozen=True, slots=True)
class Order:
    """What a sync was asked to do.

    paths: files to read; none: what lies in the inboxes (or in the one named).  names: how they are called in reports.
    wait_sources: whether records may wait for a source that is away (the daemon does, a manual sync does not).
    review: the review, and perhaps its search, that the files belong to.
    accept_empty: write even to a library that has lost all its items.
    owed_only: read nothing, only fill what earlier runs are owed.  refresh: read nothing, look at the library's items again.
    undo: read nothing, take back what this run wrote.  cleanup: read nothing, let go of what is older than it is kept.
    snapshot: read nothing, see what changed in the library.
    retry: read what lies in held/, and try again what was refused.
    rebuild: read what was put away, and note what became of it in the library, as far as the ledger does not know it.
    withdraw: read nothing, take back what this drop brought (by its path, name, or the beginning of its hash).
    instead: the drop that stands for it from now on.
    """

    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    inbox: str | None = None
    library: str | None = None
    collection: str | None = None
    review: str | None = None
    dry_run: bool = False
    no_enrich: bool = False
    offline: bool = False
    restore: bool = False
    wait_sources: bool = False
    owed_only: bool = False
    refresh: bool = False
    snapshot: bool = False
    accept_empty: bool = False
    undo: str = ""
    cleanup: bool = False
    rebuild: bool = False
    retry: bool = False
    withdraw: str = ""
    instead: str = ""

    @property
    def watched(self) -> bool:
        """Whether its files were seen in an inbox by the service, not named by hand."""
        return bool(self.paths and self.inbox and self.wait_sources)

    def as_json(self) -> dict[str, Any]:
        """For the ledger, when the order is handed to the daemon."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """What `as_json` gave."""
        return cls(**{**data, "paths": tuple(data["paths"]), "names": tuple(data["names"])})


def known_inbox(config: Config, name: str) -> None:
    """Raise UsageFault for an inbox that the config does not have."""
    if name not in config.inbox:
        raise UsageFault(f"there is no [inbox.{name}] in the config; there is {', '.join(config.inbox)}")


def check_names(config: Config, order: Order) -> None:
    """Raise UsageFault for an inbox, library or review that the config does not have, before anything is read."""
    if order.inbox:
        known_inbox(config, order.inbox)
    if order.library and order.library not in config.library:
        raise UsageFault(f"there is no [library.{order.library}] in the config; there is {', '.join(config.library)}")
    fault = reviews.unknown(config.review, order.review) if order.review else ""
    if fault:
        raise UsageFault(f"--review {order.review}: {fault}")
