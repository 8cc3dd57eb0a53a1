"""The commands. No rule of the domain; each imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync import __version__
from sync.cli.carrying import carry_out, have_done, print_reports
from sync.cli.facts import standing, standing_text
from sync.cli.switches import Common, common, dump
from sync.errors import UsageFault, ZotdropError

if TYPE_CHECKING:
    from sync.config import Config


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="zotdrop")
@common
def cli() -> None:
    """Reference exports become a clean Zotero library, every record accounted for."""


@cli.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--desktop", is_flag=True, help="Write to the Zotero that runs on this computer: it is asked for a key.")
@click.option("--url", metavar="URL", help="With --desktop: where it listens, if not at http://127.0.0.1:23119.")
@common
@click.pass_obj
def init(shared: Common, folder: Path, *, desktop: bool, url: str | None) -> None:
    """Write a commented config into FOLDER and create the folders it names."""
    from sync import access, scaffold

    if url and not desktop:
        raise UsageFault("--url says where the Zotero on this computer listens; it goes with --desktop")
    for line in access.desktop(folder, url) if desktop else scaffold.scaffold(folder):
        shared.say(line)


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATH ...|-]")
@click.option("--dry-run", is_flag=True, help="Decide everything, write nothing.")
@click.option("--no-enrich", is_flag=True, help="Ask no source: read, match and write.")
@click.option("--offline", is_flag=True, help="Ask no service now; what is owed is asked by a later run.")
@click.option("--inbox", metavar="NAME", help="The inbox whose rules apply to files outside of any.")
@click.option("--library", metavar="NAME", help="Write to this library instead of the inbox's.")
@click.option("--collection", metavar="PATH", help="File the items here instead of in the inbox's collection.")
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

    config = shared.load()
    given, names = _files(config, paths)
    if paths and not given:
        raise UsageFault(f"{', '.join(paths)}: no file in there")
    order = orders.Order(paths=tuple(given), names=tuple(names), **switches)
    orders.check_names(config, order)
    if order.offline and any(library.kind != "embedded" for library in config.library.values()):
        raise UsageFault("--offline needs an embedded library: a Zotero library is reached over the network")
    return have_done(shared, config, order, strict=strict)


@cli.command()
@click.option("--dry-run", is_flag=True, help="Say what would change, write nothing.")
@click.option("--library", metavar="NAME", help="Look at this library only.")
@common
@click.pass_obj
def refresh(shared: Common, *, dry_run: bool, library: str | None) -> int:
    """Look at the library again: retractions, corrections, preprints that were published, values that were missing.

    Items that zotdrop made gain what is new; for all others changes are proposed, not made.
    """
    from sync import orders

    config = shared.load()
    order = orders.Order(refresh=True, library=library, dry_run=dry_run)
    orders.check_names(config, order)
    return have_done(shared, config, order)


@cli.command()
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


@cli.command()
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
        runs = [{**asdict(row), "report": ledger.report(row.id)} for row in rows[: limit if limit >= 0 else None]]
    finally:
        ledger.close()
    for run in runs:
        click.echo(dump(run) if shared.json else history_text(run))
    if not runs:
        shared.say("no run has changed anything yet")


@cli.command()
@click.option("--once", is_flag=True, help="Work off what lies in the inboxes, then exit.")
@common
@click.pass_obj
def run(shared: Common, *, once: bool) -> int:
    """Run the service: watch the inboxes and work drops off as they settle."""
    from sync.service import serve

    _log(shared)
    return serve(shared.load(), once=once)


@cli.command()
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
    with nullcontext(drops.lines_of(data, encoding)) if str(file) == "-" else drops.open_lines(file, encoding) as lines:
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


@cli.command()
@common
@click.pass_obj
def status(shared: Common) -> None:
    """Drops, counts, and what waits for what. Takes no lock."""
    from sync import orders, wiring

    config = shared.load()
    ledger = wiring.open_ledger(config)
    try:
        facts = standing(config, ledger)
    finally:
        ledger.close()
    facts["daemon"] = orders.daemon_lives(config)
    click.echo(dump(facts) if shared.json else standing_text(facts))


@cli.command()
@click.option(
    "--format", "kind", type=click.Choice(["json"]), default="json", help="One item per line, as Zotero's API has it."
)
@click.option("--library", metavar="NAME", help="The library to export, where there are several.")
@common
@click.pass_obj
def export(shared: Common, /, *, library: str | None, **_format: str) -> None:
    """Write the items of the library to stdout, one per line."""
    from sync import wiring

    config = shared.load()
    name = library or next(iter(config.library))
    if name not in config.library:
        raise UsageFault(f"there is no [library.{name}] in the config; there is {', '.join(config.library)}")
    if library is None and len(config.library) > 1:
        raise UsageFault(f"which library? say --library {' or --library '.join(config.library)}")
    opened = wiring.open_library(config, name, threading.Event())
    try:
        for item in opened.items():
            click.echo(dump({**item.data, "key": item.key, "version": item.version}))
    finally:
        opened.close()


@cli.command()
@click.argument("name", metavar="KEY|NUMBER")
@common
@click.pass_obj
def show(shared: Common, name: str) -> int:
    """All that is known of an item (by its key) or of a record (by its number): where each value came from, and what lost."""
    from sync import wiring
    from sync.report.records import story_text

    ledger = wiring.open_ledger(shared.load())
    try:
        stories = [asdict(story) for story in ledger.stories.of(name)]
    finally:
        ledger.close()
    for story in stories:
        click.echo(dump(story) if shared.json else story_text(story))
    if not stories:
        raise UsageFault(
            f"{name}: no record of any drop has this key or number; keys stand in reports (-v) and in Zotero"
        )
    return 0


@cli.group()
@common
def review() -> None:
    """What waits for a person: list it, accept it, reject it."""


@review.command(name="list")
@common
@click.pass_obj
def review_list(shared: Common) -> None:
    """Every question, with its number."""
    from sync import wiring
    from sync.report.records import question_json, question_text

    ledger = wiring.open_ledger(shared.load())
    try:
        asked = [asdict(question) for question in ledger.questions.open()]
    finally:
        ledger.close()
    for question in asked:
        click.echo(dump(question_json(question)) if shared.json else question_text(question))
    if not asked:
        shared.say("nothing waits for you")


@review.command(name="accept")
@click.argument("numbers", nargs=-1, type=int, required=True)
@common
@click.pass_obj
def review_accept(shared: Common, numbers: tuple[int, ...]) -> int:
    """Yes: it is the same work, or was read rightly."""
    return _decide(shared, numbers, yes=True)


@review.command(name="reject")
@click.argument("numbers", nargs=-1, type=int, required=True)
@common
@click.pass_obj
def review_reject(shared: Common, numbers: tuple[int, ...]) -> int:
    """No: it is another work, or was read wrongly and is left out."""
    return _decide(shared, numbers, yes=False)


@cli.group(name="config")
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


@cli.command()
@common
@click.pass_obj
def check(shared: Common) -> None:
    """Check the config, the folders, and the right to write to each library."""
    from sync import access

    config = shared.load()
    for name, inbox in config.inbox.items():
        if not Path(inbox.path).is_dir():
            raise UsageFault(f"[inbox.{name}] path: {inbox.path} is not there; zotdrop init makes it")
    for name in config.library:
        shared.say(f"library {name}: {access.check(config, name)}, may be written")
    shared.say("all is well")


def main() -> None:
    """The command `zotdrop`."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        code = cli.main(args=arguments, prog_name="zotdrop", standalone_mode=False, obj=Common())
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as fault:
        fault.show()
        code = fault.exit_code
    except ZotdropError as fault:
        click.echo(f"zotdrop: {fault}", err=True)
        code = fault.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as fault:
        click.echo(f"zotdrop: {fault}; is the disk full, or a folder's right missing?", err=True)
        code = 1
    return code if isinstance(code, int) else 0


def _decide(shared: Common, numbers: Iterable[int], *, yes: bool) -> int:
    """Note what a person decided, all of it or (where one number is wrong) nothing, and carry it out."""
    from sync import orders, wiring
    from sync.steps.tools import instant

    config = shared.load()
    ledger = wiring.open_ledger(config)
    try:
        with ledger.transaction():
            for number in numbers:
                ledger.questions.decide(number, instant(wiring.utc_now()), yes=yes)
    finally:
        ledger.close()
    order = orders.Order(owed_only=True)
    return have_done(shared, config, order)


def _files(config: Config, paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """The files that the arguments mean, and how they are called: folders are read through, - is standard input."""
    from sync import drops
    from sync.orders import spool

    files: list[str] = []
    names: list[str] = []
    for path in paths:
        if path == "-":
            files.append(spool(config, sys.stdin.buffer.read()))
            names.append("standard input")
        elif Path(path).is_dir():
            listing = list(drops.scan(Path(path)))
            attaching = any(inbox.attachments == "files" for inbox in config.inbox.values())
            inside = [str(file) for file in (drops.only_drops(listing, listing) if attaching else listing)]
            files += inside
            names += inside
        else:
            files.append(str(Path(path).resolve()))
            names.append(path)
    return files, names


def _log(shared: Common) -> None:
    level = logging.DEBUG if shared.verbose else logging.WARNING if shared.quiet else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpx2", "httpcore", "httpcore2", "apscheduler"):  # their lines hold addresses with keys
        logging.getLogger(noisy).setLevel(logging.WARNING)
