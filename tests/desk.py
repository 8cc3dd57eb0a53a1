"""zotdrop in this process, with an embedded library and no source: quick, for what a command says and does with files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sync.cli import _run

CONFIG = """
[library.main]
kind = "embedded"
path = "library.sqlite"
[inbox.default]
settle_seconds = 0.0
{inbox}
[sources]
use = {use}
"""


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """A folder with a config, and its commands."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def config(self) -> Path:
        return self.folder / "zotdrop.toml"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    def configure(self, inbox: str = "", use: str = "[]") -> None:
        self.config.write_text(CONFIG.format(inbox=inbox, use=use))
        self.inbox.mkdir(exist_ok=True)

    def run(self, *words: str, code: int | None = 0) -> Said:
        """A command with `-c`, in this process; `code`: what it has to end with."""
        self.capsys.readouterr()
        ended = _run(["-c", str(self.config), *words])
        said = Said(ended, *self.capsys.readouterr())
        assert code is None or ended == code, said
        return said

    def drop(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def items(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("export").out.splitlines()]
