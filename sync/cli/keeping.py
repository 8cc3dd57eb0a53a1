"""Commands that keep the ledger (cleanup, backup, rebuild) and take whole drops back (withdraw, supersede)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli.carrying import carry_out, have_done, print_reports
from sync.cli.switches import Common, common, dump
from sync.errors import UsageFault

if TYPE_CHECKING:
    from sync.orders import Order


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, delete nothing.")
@common
@click.pass_obj
def cleanup(shared: Common, *, dry_run: bool) -> int:
    """Let go of what is older than [retention] keeps it: archived drops, raw texts, the journal, answers of the sources.

    The service does it by itself ([schedule] cleanup).
    """
    from sync import orders

    return have_done(shared, shared.load(), orders.Order(cleanup=True, dry_run=dry_run))


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(0), metavar="NUMBER", help="Keep so many in backups/ (0: all).")
@common
@click.pass_obj
def backup(shared: Common, *, file: Path | None, keep: int | None) -> None:
    """Copy the ledger to FILE, or into backups/ beside it, and check the copy. The service may be at work."""
    from sync import keeping

    config = shared.load()
    made = keeping.back_up(config, file, config.state.keep_backups if keep is None else keep)
    if shared.json:
        click.echo(dump({"path": str(made.path), "bytes": made.size, "deleted": [str(path) for path in made.gone]}))
        return
    shared.say(f"{made.path}: {made.size / 1_000_000:.1f} MB, checked")
    for path in made.gone:
        shared.say(f"{path}: older than the {keep or config.state.keep_backups} that are kept; deleted")


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be found, note nothing.")
@common
@click.pass_obj
def rebuild(shared: Common, *, dry_run: bool) -> int:
    """Make a lost ledger again from done/ and held/ of every inbox and from the libraries, which are read and not written.

    A ledger that is there is kept, and gains the drops that it does not know.
    """
    from sync import orders

    return have_done(shared, shared.load(), orders.Order(rebuild=True, dry_run=dry_run))


@click.command()
@click.argument("drop", metavar="DROP")
@click.option("--dry-run", is_flag=True, help="Say what would be taken back, write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@click.pass_obj
def withdraw(shared: Common, drop: str, *, dry_run: bool, yes: bool) -> int:
    """Take back one drop (its path, file name, number as drop:7, or beginning of its hash): what only it brought and nobody touched goes to the trash.

    What somebody works with leaves the drop's collections and tags; what other drops brought too stays. zotdrop undo takes it back.
    """
    from sync import orders

    return _take_back(shared, orders.Order(withdraw=drop, dry_run=dry_run), yes=yes)


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--dry-run", is_flag=True, help="Say what would be taken back, write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@click.pass_obj
def supersede(shared: Common, old: str, new: str, *, dry_run: bool, yes: bool) -> int:
    """Let drop NEW stand for drop OLD, an earlier export of the same search: what only OLD brought is taken back.

    Items in both stay, in the collection of NEW. zotdrop undo takes it back.
    """
    from sync import orders

    return _take_back(shared, orders.Order(withdraw=old, instead=new, dry_run=dry_run), yes=yes)


def _take_back(shared: Common, order: Order, *, yes: bool) -> int:
    """Have it done, after a look at what would be done."""
    config = shared.load()
    if not (order.dry_run or yes):
        if not sys.stdin.isatty():
            raise UsageFault("this changes the library: say --yes, or --dry-run to see what it would do")
        print_reports(shared, carry_out(shared, config, replace(order, dry_run=True)))
        if not click.confirm("Take this back?", err=True):
            shared.say("nothing was changed")
            return 0
    return have_done(shared, config, order)
