"""The commands. No rule of the domain; each imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

import sys
from contextlib import suppress

import click

from sync import __version__
from sync.cli import explaining, keeping, looking, reviewing, setting_up, working
from sync.cli.switches import Common, common, dump
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
    working.retry,
    working.run,
    reviewing.review,
    explaining.report,
    explaining.explain,
    explaining.completion,
    looking.parse,
    looking.status,
    looking.history,
    looking.show,
    looking.export,
    looking.config_group,
    keeping.cleanup,
    keeping.backup,
    keeping.rebuild,
    keeping.withdraw,
    keeping.supersede,
):
    cli.add_command(_command)


def main() -> None:
    """The command `zotdrop`."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    shared = Common()
    try:
        code = cli.main(args=arguments, prog_name="zotdrop", standalone_mode=False, obj=shared)
    except click.exceptions.Abort:
        code = _failed(shared, arguments, 130, "broken off")
    except click.ClickException as fault:
        fault.show()
        code = _as_data(shared, arguments, fault.exit_code, fault.format_message())
    except ZotdropError as fault:
        code = _failed(shared, arguments, fault.exit_code, str(fault))
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as fault:
        code = _failed(shared, arguments, 1, f"{fault}; is the disk full, or a folder's right missing?")
    except Exception as fault:
        _as_data(shared, arguments, 1, f"unexpected: {fault!r}")
        raise
    return code if isinstance(code, int) else 0


def _failed(shared: Common, arguments: list[str], code: int, message: str) -> int:
    """Say what went wrong, on stderr, and with --json as data too; the exit code."""
    click.echo(shared.told(f"zotdrop: {message}"), err=True)
    return _as_data(shared, arguments, code, message)


def _as_data(shared: Common, arguments: list[str], code: int, message: str) -> int:
    """With --json, a fault is an object on stdout. A command line that could not be read never came to its switches."""
    if shared.json or "--json" in arguments:
        with suppress(OSError):  # what went wrong may be that stdout cannot be written
            click.echo(dump({"error": {"code": code, "message": shared.told(message)}}))
    return code
