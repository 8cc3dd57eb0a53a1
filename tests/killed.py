"""Runs the real command in this process and kills it (SIGKILL) at its nth step; with 0 it counts its steps instead.

A step is what a crash could fall before or after: a transaction of the ledger, a request to a service, a write to the library, a
move of a file. Called as: python -m tests.killed NUMBER FILE_FOR_THE_COUNT zotdrop-arguments ... With `r` before the number only requests to Zotero are
steps.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sync import cli, drops
from sync.http import Http
from sync.libraries.api import Api
from sync.libraries.embedded import Embedded
from sync.libraries.zotero import ApiLibrary
from sync.state.database import Database

_count = 0


def step(last: int) -> None:
    """One more place at which the process may die."""
    global _count  # noqa: PLW0603 (a counter of this process)
    _count += 1
    if _count == last:
        os.kill(os.getpid(), signal.SIGKILL)


def around(call: Callable[..., Any], last: int) -> Callable[..., Any]:
    """The call, with a step before and one after it."""

    @functools.wraps(call)
    def stepped(*args: Any, **kwargs: Any) -> Any:
        step(last)
        result = call(*args, **kwargs)
        step(last)
        return result

    return stepped


def committing(run: Callable[..., Any], last: int) -> Callable[..., Any]:
    """Steps around every COMMIT of the ledger."""

    @functools.wraps(run)
    def stepped(self: Database, sql: str, values: Any = ()) -> Any:
        if sql != "COMMIT":
            return run(self, sql, values)
        step(last)
        result = run(self, sql, values)
        step(last)
        return result

    return stepped


def main() -> None:
    """Patch, run, and say how many steps there were."""
    where, told, words = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    last = int(where.removeprefix("r"))
    if where.startswith("r"):
        Api._once = around(Api._once, last)  # type: ignore[method-assign]
    else:
        everywhere(last)
    sys.argv = ["zotdrop", *words]
    try:
        cli.main()
    finally:
        told.write_text(str(_count))


def everywhere(last: int) -> None:
    """Steps around all that a crash could fall between."""
    Database._run = committing(Database._run, last)  # type: ignore[method-assign]
    Http.ask = around(Http.ask, last)  # type: ignore[method-assign]
    for library in (ApiLibrary, Embedded):
        for name in ("write", "collection"):
            setattr(library, name, around(getattr(library, name), last))
    for name in ("post_file", "post_bytes"):
        setattr(Api, name, around(getattr(Api, name), last))
    drops._put_away = around(drops._put_away, last)


if __name__ == "__main__":
    main()
