"""Commands that show: what a file holds, how things stand, what the library has, and where its values come from."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import click

from sync.cli.facts import standing, standing_text
from sync.cli.switches import Common, common, dump
from sync.errors import UsageFault


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--encoding", default="auto", metavar="NAME", help="The file's encoding, where it should not be guessed.")
@click.option("--tidy", is_flag=True, help="As the library would get it: without what the problems doubt.")
@common
@click.pass_obj
def parse(shared: Common, file: Path, *, encoding: str, tidy: bool) -> int:
    """Show how each record of FILE (- is standard input) is read, value by value. No network, nothing is written."""
    from sync import drops
    from sync.core.record import Gap
    from sync.report.records import reading_json, reading_text
    from sync.report.words import count
    from sync.steps.intake import for_library, readings, what_it_seems

    if str(file) != "-" and not file.is_file():
        raise UsageFault(f"{file}: there is no such file")
    data = sys.stdin.buffer.read() if str(file) == "-" else b""
    entries = gaps = unreadable = 0
    with (
        nullcontext(drops.lines_of(data, encoding))
        if str(file) == "-"
        else drops.open_lines(file.resolve(), encoding) as lines
    ):
        for part in map(for_library, readings(lines)) if tidy else readings(lines):
            if isinstance(part, Gap):
                gaps += part.lines[1] - part.lines[0] + 1
                continue
            entries += 1
            unreadable += part.record is None
            click.echo(dump(reading_json(part)) if shared.json else reading_text(part))
        seems = "" if entries else what_it_seems(lines)
    if not entries:
        shared.say(f"{file}: {seems}")
        return 5
    shared.say(f"{count(entries, 'record')}, {unreadable} unreadable, {count(gaps, 'line')} between them")
    return 5 if unreadable else 0


@click.command()
@common
@click.pass_obj
def status(shared: Common) -> None:
    """What the service does now and next, drops, counts, what stays where it is and why."""
    from sync import wiring

    config = shared.load()
    ledger = wiring.open_ledger(config)
    try:
        facts = standing(config, ledger)
    finally:
        ledger.close()
    click.echo(dump(facts) if shared.json else standing_text(facts))


@click.command()
@click.option("--limit", "-n", default=20, metavar="NUMBER", help="So many runs, the newest first; -1 for all.")
@common
@click.pass_obj
def history(shared: Common, *, limit: int) -> None:
    """The runs that changed something, newest first; with -v all of them."""
    from sync import wiring
    from sync.report.records import history_text

    ledger = wiring.open_ledger(shared.load())
    try:
        rows = [row for row in ledger.undoings.runs() if row.wrote or shared.verbose]
        back = ledger.undoings.taken_back()
        runs = [
            {**asdict(row), "taken_back_by": back.get(row.id, ""), "report": ledger.report(row.id)}
            for row in rows[: limit if limit >= 0 else None]
        ]
    finally:
        ledger.close()
    for run in runs:
        click.echo(dump(run) if shared.json else history_text(run))
    if not runs:
        shared.say("no run has changed anything yet")


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["json", "ris", "csl-json"]),
    default="json",
    help="json: one item per line, as Zotero's API has it; ris and csl-json: for other programs.",
)
@click.option("--library", metavar="NAME", help="The library to export, where there are several.")
@common
@click.pass_obj
def export(shared: Common, /, *, library: str | None, kind: str) -> None:
    """Write the items of the library to stdout."""
    from sync import wiring
    from sync.report.exports import EXPORTS

    config = shared.load()
    name = library or next(iter(config.library))
    if name not in config.library:
        raise UsageFault(f"there is no [library.{name}] in the config; there is {', '.join(config.library)}")
    if library is None and len(config.library) > 1:
        raise UsageFault(f"which library? say --library {' or --library '.join(config.library)}")
    opened = wiring.open_library(config, name, threading.Event())
    try:
        items = ({**item.data, "key": item.key, "version": item.version} for item in opened.items())
        for part in EXPORTS[kind](items):
            click.echo(part)
    finally:
        opened.close()


@click.command()
@click.argument("name", metavar="KEY|NUMBER")
@common
@click.pass_obj
def show(shared: Common, name: str) -> int:
    """All that is known of an item (by its key) or of a record (by its number): where each value came from, and what lost."""
    from sync import wiring
    from sync.report.records import standing_text, story_text

    ledger = wiring.open_ledger(shared.load())
    try:
        stories = [asdict(story) for story in ledger.stories.of(name)]
        items = [] if stories else [asdict(item) for item in ledger.stories.items(name)]
    finally:
        ledger.close()
    for story in stories:
        click.echo(dump(story)) if shared.json else shared.show(story_text(story))
    for item in items:
        told = "\n".join([f"item {name}: of no drop", *standing_text(item)])
        click.echo(dump({"key": name, "stands": item}) if shared.json else told)
    if not stories and not items:
        raise UsageFault(
            f"{name}: no record of any drop has this key or number; keys stand in reports (-v) and in Zotero"
        )
    return 0


@click.group(name="config")
@common
def config_group() -> None:
    """Look at the configuration."""


@config_group.command(name="show")
@common
@click.pass_obj
def config_show(shared: Common) -> None:
    """Every option with the value it has now; secrets are not shown."""
    from sync.config import redacted

    click.echo(json.dumps(redacted(shared.load()), indent=2, ensure_ascii=False))
