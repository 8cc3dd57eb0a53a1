"""A whole zotdrop with all its services on loopback: a config folder, stand-ins for Crossref, NCBI and Zotero, the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import forked
from tests.servers.crossref import CrossrefServer, Pool
from tests.servers.ncbi import NcbiServer
from tests.servers.works import Work
from tests.servers.works_special import SPECIAL
from tests.servers.zotero import API_KEY, GROUP, USER, ZoteroServer

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "corpus"
SAMPLE = ROOT / "config" / "sample.ris"
NOWHERE = "http://127.0.0.1:9"  # nobody listens on the discard port
QUICK = {name: Pool(1000, 3) for name in ("public-single", "public-array", "polite-single", "polite-array")}


@dataclass(frozen=True)
class Scene:
    """The folder of the config, and the services it points at."""

    folder: Path
    crossref: CrossrefServer
    ncbi: NcbiServer
    zotero: ZoteroServer

    @property
    def config(self) -> Path:
        return self.folder / "zotdrop.toml"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    def write_config(self, library: str = "embedded", **changes: Any) -> None:
        """library: embedded, user, group.  changes: `inbox_KEY`, `limits_KEY`, and crossref_url, pubmed_url, use."""
        inbox = {
            "settle_seconds": 0.2,
            "poll_seconds": 0.2,
            **{name[6:]: value for name, value in changes.items() if name.startswith("inbox_")},
        }
        limits = {name[7:]: value for name, value in changes.items() if name.startswith("limits_")}
        crossref = changes.get("crossref_url", self.crossref.url)
        pubmed = changes.get("pubmed_url", self.ncbi.eutils_url)
        text = [
            'contact = "librarian@example.org"',
            "[library.main]",
            *_library(library, changes.get("zotero_url", self.zotero.url)),
            "[inbox.default]",
            *(f"{name} = {json.dumps(value)}" for name, value in inbox.items()),
            "[limits]",
            *(f"{name} = {json.dumps(value)}" for name, value in limits.items()),
            "[sources]",
            f"use = {json.dumps(changes.get('use', ['pubmed', 'crossref']))}",
            "[sources.crossref]",
            f'url = "{crossref}"',
            "[sources.pubmed]",
            f'url = "{pubmed}"',
            f'idconv_url = "{self.ncbi.idconv_url}"',
        ]
        self.config.write_text("\n".join(text) + "\n")
        self.inbox.mkdir(exist_ok=True)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "sync", "-c", str(self.config), *words]

    def run(
        self, *words: str, code: int | None = 0, data: bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        """The real command in a process of its own; `code`: what it has to end with."""
        done = forked.command(self.command(*words)[3:], data=data or b"", env=self.env(**environment))
        assert code is None or done.returncode == code, (done.returncode, done.stdout.decode(), done.stderr.decode())
        return done

    def env(self, **more: str) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("ZOTDROP", "COV_"))}
        return {**plain, "ZOTERO_API_KEY": API_KEY, "NO_PROXY": "*", **more}

    def sync(self, *words: str, code: int | None = 0, **more: Any) -> dict[str, Any]:
        """The report of `sync --json`."""
        report: dict[str, Any] = json.loads(self.run("sync", "--json", *words, code=code, **more).stdout)
        return report

    def items(self) -> list[dict[str, Any]]:
        """The regular items of the library, through `export`."""
        lines = self.run("export").stdout.decode().splitlines()
        return [item for item in map(json.loads, lines) if item["itemType"] not in {"note", "attachment"}]

    def drop(self, name: str, text: str | bytes) -> Path:
        """A file in the folder beside the inbox, to be named on the command line."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


@contextmanager
def scene(folder: Path, works: Iterable[Work] = ()) -> Iterator[Scene]:
    """Everything up and running, with the embedded library; the services know these works and the real sample."""
    known = (*works, *SPECIAL.values())
    with CrossrefServer(known, pools=QUICK) as crossref, NcbiServer(known) as ncbi, ZoteroServer() as zotero:
        made = Scene(folder, crossref, ncbi, zotero)
        made.write_config()
        yield made


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    """The outcomes that are not 0, over all drops."""
    total: dict[str, int] = {}
    for drop in report["drops"]:
        for name, number in drop["outcomes"].items():
            total[name] = total.get(name, 0) + number
    return {name: number for name, number in total.items() if number}


def _library(kind: str, url: str) -> list[str]:
    if kind == "embedded":
        return ['kind = "embedded"', 'path = "library.sqlite"']
    number = USER if kind == "user" else GROUP
    return [
        'kind = "zotero"',
        f'type = "{kind}"',
        f"id = {number}",
        'api_key = { env = "ZOTERO_API_KEY" }',
        f'url = "{url}"',
    ]
