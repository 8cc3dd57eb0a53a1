"""Options that are right one by one and get in each other's way, and what is allowed and unwise."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sync.config.faults import Place
from sync.config.options import Config, EmbeddedLibrary

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def clashes(config: Config, path: Path) -> Iterator[str]:
    """Files and folders that get in each other's way: what lies in an inbox is taken for a drop, and moved."""
    inboxes = {f"[inbox.{name}]": real(own.path) for name, own in config.inbox.items()}
    files = {"[state]": real(config.state.path)}
    files |= {
        f"[library.{name}]": real(own.path) for name, own in config.library.items() if isinstance(own, EmbeddedLibrary)
    }
    for (one, first), (other, second) in combinations(files.items(), 2):
        if first == second:
            yield f"{other} path: {second} is the file of {one} already; each needs one of its own"
    for (one, first), (other, second) in combinations(inboxes.items(), 2):
        if first.is_relative_to(second) or second.is_relative_to(first):
            yield f"{other} path: {second} and {one}, {first}, lie in each other; a drop would be taken twice"
    told = {f"the file of {what}": file for what, file in files.items()} | {"this config": real(path)}
    told |= {f"the key of [{'.'.join(place)}]": real(own.api_key.value) for place, own in _key_files(config)}
    for (name, inbox), (what, file) in product(inboxes.items(), told.items()):
        if file.is_relative_to(inbox):
            yield f"{name} path: {what} lies in {inbox} and would be taken for a drop; give the inbox a folder of its own"


def in_the_clear(config: Config) -> Iterator[str]:
    """Keys that would travel for all to read."""
    for place, own in _owners(config):
        address = urlsplit(own.url if getattr(own, "api_key", None) else "")
        if address.scheme == "http" and address.hostname not in LOOPBACK:
            yield (
                f"[{'.'.join(place)}] url: {own.url} begins with http://, and the key would travel for all to read;"
                " write https://"
            )


def real(path: Any) -> Path:
    """A path with its links followed, as far as they lead."""
    return Path(os.path.realpath(path))


def _owners(config: Config) -> list[tuple[Place, Any]]:
    """What may have an address and a key, by place."""
    return [
        *((("library", name), own) for name, own in config.library.items()),
        (("sources", "pubmed"), config.sources.pubmed),
    ]


def _key_files(config: Config) -> Iterator[tuple[Place, Any]]:
    for place, own in _owners(config):
        key = getattr(own, "api_key", None)
        if key is not None and key.kind == "file":
            yield place, own


def warnings(config: Config, path: Path, given: Mapping[Place, Any]) -> Iterator[str]:
    """What works and is unwise: keys that others can read, a config that others can change, a missing contact."""
    for place, own in _owners(config):
        key, where = getattr(own, "api_key", None), f"[{'.'.join(place)}]"
        if key is None:
            continue
        if key.plain and (*place, "api_key") not in given:
            yield f'{path.name}: {where} api_key stands in the file itself; better {{ env = "NAME" }} or {{ file = "path" }}'
            if _open_to_others(path):
                yield f"{path.name} holds a key and can be read by others: chmod 600 {path}"
        if key.kind == "file" and _open_to_others(Path(key.value)):
            yield f"{where} api_key: {key.value} can be read by others: chmod 600 {key.value}"
    if _is(path, stat.S_IWOTH):
        yield f"{path.name} can be changed by others, and it may name commands that are run: chmod o-w {path}"
    asks = any(config.sources.use if own.sources is None else own.sources for own in config.inbox.values())
    if not config.contact and asks:
        yield f"{path.name}: contact is empty; Crossref serves nameless clients one list of 50 DOIs a second instead of three"


def _open_to_others(path: Path) -> bool:
    return _is(path, stat.S_IRGRP | stat.S_IROTH)


def _is(path: Path, rights: int) -> bool:
    try:
        return os.name == "posix" and bool(path.stat().st_mode & rights)
    except OSError:
        return False
