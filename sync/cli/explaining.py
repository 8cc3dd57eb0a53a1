"""Commands that explain: the report of a run, a code in words, completion for a shell."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sync.cli.switches import Common, common, dump
from sync.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sync.state.ledger import Ledger


@click.command()
@click.argument("run", required=False)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "markdown", "html", "csv"]),
    default="text",
    help="How it is told; csv has a line for each record.",
)
@common
@click.pass_obj
def report(shared: Common, run: str | None, kind: str) -> None:
    """What RUN did (zotdrop history names the runs), without a name the last that ended: how each record ended, and how many
    requests each service got.
    """
    from sync import wiring
    from sync.report import as_text
    from sync.report.again import from_json
    from sync.report.sheets import FORMATS

    ledger = wiring.open_ledger(shared.load())
    try:
        data = _report(ledger, run)
    finally:
        ledger.close()
    if shared.json:
        click.echo(dump(data))
    elif kind == "text":
        shared.show(as_text(from_json(data), verbose=shared.verbose))
    else:
        click.echo(FORMATS[kind](from_json(data)), nl=kind != "csv")


def _report(ledger: Ledger, run: str | None) -> Mapping[str, Any]:
    """The report that was kept of a run. Raises UsageFault where there is none."""
    found = ledger.report(run) if run else ledger.last_run()
    if found is not None:
        return found
    if run is None:
        raise UsageFault("no run has ended yet; zotdrop sync makes one")
    if ledger.undoings.find(run) is None:
        raise UsageFault(f"{run}: there is no such run; zotdrop history -v shows what there is")
    raise UsageFault(f"{run}: this run has not ended; zotdrop status tells what is open")


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@common
@click.pass_obj
def explain(shared: Common, codes: tuple[str, ...]) -> None:
    """What a CODE of a problem or a reason means, and what to do about it; without one, all of them."""
    from sync.report.codes import CODES, explained

    found = [explained(code) for code in codes] if codes else list(CODES.values())
    for one in filter(None, found):
        click.echo(dump(asdict(one)) if shared.json else f"{one.code}: {one.means} {shared.told(one.do)}")
    unknown = next((code for code, one in zip(codes, found, strict=False) if one is None), None)
    if unknown is not None:
        near = difflib.get_close_matches(unknown, CODES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "; zotdrop explain lists all"
        raise UsageFault(f"{unknown}: no problem and no reason has this code{hint}")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """The lines by which SHELL completes zotdrop's commands and switches, for its start file: eval "$(zotdrop completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(context.find_root().command, {}, "zotdrop", "_ZOTDROP_COMPLETE").source())
