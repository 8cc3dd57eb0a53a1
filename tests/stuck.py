"""Runs the real command with one of its steps made endless: a matching, a reading, a look that takes for ever and heeds nothing.

Called as: python -m tests.stuck PLACE zotdrop-arguments ...
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import watchfiles

from sync import cli, drops
from sync.service import daemon
from sync.steps import intake

PLACES: dict[str, tuple[Any, str]] = {
    "matching": (intake, "clusters"),
    "hashing": (drops, "take"),
    "reading": (intake, "readings"),
    "looking": (drops, "listing"),
    "events": (watchfiles, "watch"),
}


def endless(place: str) -> Callable[..., Any]:
    """A call that says that it began, and never ends."""

    def never(*_args: Any, **_kwargs: Any) -> Any:
        print(f"stuck in {place}", file=sys.stderr, flush=True)  # noqa: T201 (the test waits for it)
        while True:
            threading.Event().wait(0.001)

    return never


def main() -> None:
    """Patch, and run."""
    place = sys.argv[1]
    room, name = PLACES[place]
    setattr(room, name, endless(place))
    daemon.LOOK_MOST = 1.0  # seconds, where it is a minute
    sys.argv = ["zotdrop", *sys.argv[2:]]
    cli.main()


if __name__ == "__main__":
    main()
