"""The commands. No rule of the domain; each imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

import sys

import click

from sync import __version__
from sync.cli import looking, reviewing, setting_up, working
from sync.cli.switches import Common, common, harmless
from sync.errors import ZotdropError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="zotdrop")
@common
def cli() -> None:
    """Reference exports become a clean Zotero library, every record accounted for."""


for _command in (
    setting_up.init,
    setting_up.check,
    working.sync,
    working.refresh,
    working.undo,
    working.run,
    reviewing.review,
    looking.parse,
    looking.status,
    looking.history,
    looking.show,
    looking.export,
    looking.config_group,
):
    cli.add_command(_command)


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
        click.echo(f"zotdrop: {harmless(str(fault))}", err=True)
        code = fault.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as fault:
        click.echo(f"zotdrop: {harmless(str(fault))}; is the disk full, or a folder's right missing?", err=True)
        code = 1
    return code if isinstance(code, int) else 0
