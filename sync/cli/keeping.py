"""Commands that keep the ledger: cleanup, backup, rebuild."""

from __future__ import annotations

from pathlib import Path

import click

from sync.cli.carrying import have_done
from sync.cli.switches import Common, common, dump


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
