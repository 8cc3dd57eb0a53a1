"""Commands that change a library: sync, refresh, undo, retry, run."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.cli.carrying import carry_out, have_done, print_reports
from sync.cli.switches import Common, common
from sync.errors import UsageFault

if TYPE_CHECKING:
    from sync.config import Config


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH ...|-]")
@click.option("--dry-run", is_flag=True, help="Decide everything, write nothing.")
@click.option("--no-enrich", is_flag=True, help="Ask no source: read, match and write.")
@click.option("--offline", is_flag=True, help="Ask no service now; what is owed is asked by a later run.")
@click.option("--inbox", metavar="NAME", help="The inbox whose rules apply to files outside of any.")
@click.option("--library", metavar="NAME", help="Write to this library instead of the inbox's.")
@click.option("--collection", metavar="PATH", help="File the items here instead of in the inbox's collection.")
@click.option("--review", metavar="NAME[/SEARCH]", help="The review, and its search, that the files belong to.")
@click.option("--restore", is_flag=True, help="Make again what a person trashed or deleted.")
@click.option(
    "--accept-empty", is_flag=True, help="Write though the library has lost all its items: that was on purpose."
)
@click.option("--strict", is_flag=True, help="Exit with 6 if a person is asked.")
@common
@click.pass_obj
def sync(shared: Common, /, paths: tuple[str, ...], *, strict: bool, **switches: Any) -> int:
    """Read drops (files, folders, or - for standard input; none: what lies in the inboxes), and bring them into Zotero."""
    from sync import orders

    config = shared.load(asks=True)
    given, names = _files(shared, config, paths)
    if paths and not given:
        raise UsageFault(f"{', '.join(paths)}: no export of references in there")
    order = orders.Order(paths=tuple(given), names=tuple(names), **switches)
    orders.check_names(config, order)
    if order.offline and any(library.kind != "embedded" for library in config.library.values()):
        raise UsageFault("--offline needs an embedded library: a Zotero library is reached over the network")
    return have_done(shared, config, order, strict=strict)


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would change, write nothing.")
@click.option("--library", metavar="NAME", help="Look at this library only.")
@common
@click.pass_obj
def refresh(shared: Common, *, dry_run: bool, library: str | None) -> int:
    """Look at the library again: retractions, corrections, preprints that were published, values that were missing.

    Items that zotdrop made gain what is new; for all others changes are proposed, not made.
    """
    from sync import orders

    config = shared.load(asks=True)
    order = orders.Order(refresh=True, library=library, dry_run=dry_run)
    orders.check_names(config, order)
    return have_done(shared, config, order)


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--dry-run", is_flag=True, help="Say what would be taken back, write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@click.pass_obj
def undo(shared: Common, run: str, *, dry_run: bool, yes: bool) -> int:
    """Take back what a run wrote (zotdrop history names the runs): what it made goes to the trash, what it changed is restored.

    What somebody has changed since is left as it is, and told.
    """
    from sync import orders

    config = shared.load()
    order = orders.Order(undo=run, dry_run=dry_run)
    if not (dry_run or yes):
        if not sys.stdin.isatty():
            raise UsageFault("undo changes the library: say --yes, or --dry-run to see what it would do")
        print_reports(shared, carry_out(shared, config, orders.Order(undo=run, dry_run=True)))
        if not click.confirm("Take this back?", err=True):
            shared.say("nothing was changed")
            return 0
    return have_done(shared, config, order)


@click.command()
@click.option("--library", metavar="NAME", help="Try again what this library refused only.")
@common
@click.pass_obj
def retry(shared: Common, *, library: str | None) -> int:
    """Try again what a library refused, what could not be read, and the drops in held/ (mended or as they are)."""
    from sync import orders

    config = shared.load(asks=True)
    order = orders.Order(retry=True, library=library)
    orders.check_names(config, order)
    for file, why in orders.passed_over(config, order).items():
        shared.say(f"{file}: passed over; {why}")
    return have_done(shared, config, order)


@click.command()
@click.option("--once", is_flag=True, help="Work off what lies in the inboxes, then exit.")
@common
@click.pass_obj
def run(shared: Common, *, once: bool) -> int:
    """Run the service: watch the inboxes and work drops off as they settle."""
    from sync.service import serve

    load = partial(shared.load, asks=True, serves=True)
    return serve(load(), once=once, again=load)


def _files(shared: Common, config: Config, paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """The files that the arguments mean, and how they are called: folders are read through, - is standard input."""
    from sync.orders import spool

    files: list[str] = []
    names: list[str] = []
    for path in paths:
        if path == "-":
            files.append(spool(config, sys.stdin.buffer.read()))
            names.append("standard input")
        elif Path(path).is_dir():
            inside, passed = _inside(config, Path(path))
            files += inside
            names += inside
            for file in passed:
                shared.say(f"{file}: passed over, this is no export of references")
        else:
            files.append(str(Path(path).resolve()))
            names.append(path)
    return files, names


def _inside(config: Config, folder: Path) -> tuple[list[str], list[str]]:
    """The files of a folder that may be drops, and those that are certainly none. What zotdrop itself keeps is not looked at:
    what came on standard input, and what it has put away.
    """
    from sync import drops

    kept = [Path(config.state.path).parent.resolve() / drops.SPOOL]
    kept += [Path(inbox.path).resolve() / name for inbox in config.inbox.values() for name in (drops.DONE, drops.HELD)]
    ledger = Path(config.state.path).resolve()
    files = [
        file
        for file in drops.scan(folder)
        if not any(file.resolve().is_relative_to(own) for own in kept)
        and not (file.resolve().parent == ledger.parent and file.name.startswith(ledger.name))
    ]
    passed = [str(file) for file in files if drops.is_no_export(file)]
    return [str(file) for file in files if str(file) not in set(passed)], passed
