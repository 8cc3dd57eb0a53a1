"""The switches that every command has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sync.config import Config

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Common:
    """The switches that every command has, before or after its name."""

    config: str | None = None
    json: bool = False
    verbose: bool = False
    quiet: bool = False

    def load(self) -> Config:
        """The configuration that these switches and the environment name. Raises ConfigFault."""
        from sync.config import find_and_load

        config = find_and_load(Path(self.config) if self.config else None)
        from sync.wiring import policy, without_effect

        policy(config)
        for warning in [*config.warnings, *without_effect(config)]:
            self.say(f"warning: {warning}")
        return config

    def say(self, text: str) -> None:
        """A message for a person, on stderr."""
        if not self.quiet:
            click.echo(harmless(text), err=True)


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
