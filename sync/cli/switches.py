"""The switches that every command has."""

from __future__ import annotations

import json
import logging
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sync.config import Config

F = TypeVar("F", bound=Callable[..., Any])

# Commands that messages tell somebody to use, and that need the config.
_TOLD = re.compile(
    r"\bzotdrop (?=(?:apply|check|config|explain|export|history|push|rebuild|refresh|report|retry|review|show|status|supersede"
    r"|sync|undo|withdraw)\b)"
)
_ONLY_WHERE_ASKED = ": contact is empty;"  # a warning of no use to commands that ask no source


@dataclass(slots=True)
class Common:
    """The switches that every command has, before or after its name."""

    config: str | None = None
    json: bool = False
    verbose: bool = False
    quiet: bool = False

    def load(self, *, asks: bool = False, serves: bool = False) -> Config:
        """The configuration that these switches and the environment name. Raises ConfigFault.

        asks: whether the command may ask sources, so that what is unwise for that is worth a word.
        serves: whether it is the service, which logs what [log] level says.
        """
        from sync.config import find_and_load

        config = find_and_load(Path(self.config) if self.config else None)
        from sync.logs import set_up
        from sync.wiring import policy

        plain, quiet = (config.log.level, "warning") if serves else ("warning", "error")
        set_up(config.log.format, "debug" if self.verbose else quiet if self.quiet else plain)
        policy(config)
        for warning in config.warnings:
            if serves:
                logging.getLogger("zotdrop").warning("%s", warning)
            elif asks or _ONLY_WHERE_ASKED not in warning:
                self.say(f"warning: {warning}")
        return config

    def say(self, text: str) -> None:
        """A message for a person, on stderr."""
        if not self.quiet:
            click.echo(self.told(text), err=True)

    def show(self, text: str) -> None:
        """Text for a person, on stdout."""
        click.echo(self.told(text))

    def told(self, text: str) -> str:
        """A message without keys and without what a terminal obeys, whose commands name the config that the user named, so that they can be copied."""
        from sync.logs import redacted

        text = harmless(redacted(text))
        return _TOLD.sub(lambda _: f"zotdrop -c {shlex.quote(self.config or '')} ", text) if self.config else text


def common(command: F) -> F:
    """Adds -c, --json, -v and -q to a command and hands it their sum as first argument."""

    def note(context: click.Context, option: click.Parameter, value: Any) -> None:
        shared = context.ensure_object(Common)
        if value:
            setattr(shared, option.name or "", value)

    options = [
        click.option("-c", "--config", metavar="FILE", expose_value=False, callback=note, help="The config file."),
        click.option("--json", is_flag=True, expose_value=False, callback=note, help="Data as JSON on stdout."),
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=note, help="Say more."),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=note, help="Say nothing but errors."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def dump(data: Any) -> str:
    """Data as one line of JSON. Letters that a terminal obeys are escaped, those beyond ASCII too."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(data, ensure_ascii=False))


def harmless(text: str) -> str:
    """A message that may quote a file's name or a service's words, safe for a terminal and a log; line ends stay."""
    return _OBEYED.sub(" ", text)


# Control characters but for tab and line end, those of eight bits, and what turns the direction of writing around.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
