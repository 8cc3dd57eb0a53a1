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
from sync.config.keys import Placed, keys_of
from sync.config.options import Config, EmbeddedLibrary
from sync.secrets import Secret

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NEVER_IN_THE_CLEAR = frozenset({"library", "sources"})  # sections; a notice may go to a server next door


def clashes(config: Config, path: Path) -> Iterator[str]:
    """Files and folders that get in each other's way: what lies in an inbox is taken for a drop, and moved."""
    inboxes = {f"[inbox.{name}]": real(own.path) for name, own in config.inbox.items()}
    files = {"[state]": real(config.state.path)}
    files |= {
        f"[library.{name}]": real(own.path) for name, own in config.library.items() if isinstance(own, EmbeddedLibrary)
    }
    yield from _told_to_all(config)
    for (one, first), (other, second) in combinations(files.items(), 2):
        if first == second:
            yield f"{other} path: {second} is the file of {one} already; each needs one of its own"
    for (one, first), (other, second) in combinations(inboxes.items(), 2):
        if first.is_relative_to(second) or second.is_relative_to(first):
            yield f"{other} path: {second} and {one}, {first}, lie in each other; a drop would be taken twice"
    told = {f"the file of {what}": file for what, file in files.items()} | {"this config": real(path)}
    told |= {
        f"the key of [{'.'.join(key.section)}]": real(key.secret.value)
        for key in keys_of(config)
        if key.secret.kind == "file"
    }
    for (name, inbox), (what, file) in product(inboxes.items(), told.items()):
        if file.is_relative_to(inbox):
            yield f"{name} path: {what} lies in {inbox} and would be taken for a drop; give the inbox a folder of its own"


def _told_to_all(config: Config) -> Iterator[str]:
    """What would be open to everybody, or travel in the clear, without the config saying that this is meant."""
    host = _host(config.health.listen)
    if host and host not in LOOPBACK and not config.health.anywhere:
        yield (
            f"[health] listen: {host} is more than this machine; 127.0.0.1 is meant for a monitor on it,"
            " and anywhere = true says that others may ask too"
        )
    mail = config.notify.mail
    if mail and mail.security == "none" and mail.host not in LOOPBACK:
        yield '[notify.mail] security: "none" is for a mail server on this machine; "starttls" or "tls" is needed'


def in_the_clear(config: Config) -> Iterator[str]:
    """Keys of libraries and sources that would travel for all to read."""
    for key in keys_of(config):
        url = _address(key)
        if key.section[0] in _NEVER_IN_THE_CLEAR and _is_open(url):
            yield (
                f"[{'.'.join(key.section)}] url: {url} begins with http://, and the key would travel for all to read;"
                " write https://"
            )


def real(path: Any) -> Path:
    """A path with its links followed, as far as they lead."""
    return Path(os.path.realpath(path))


def warnings(config: Config, path: Path, given: Mapping[Place, Any]) -> Iterator[str]:
    """What works and is unwise: keys that others can read, a config that others can change, a missing contact."""
    for key in keys_of(config):
        yield from _unwise(key, path, given)
    health = config.health
    if health.anywhere and _host(health.listen) not in {*LOOPBACK, ""}:
        yield f"{path.name}: [health] listen = {health.listen!r}: whoever reaches this machine can read how things stand"
    yield from (f"{path.name}: {warning}" for warning in _keyword_tables(config))
    if _is(path, stat.S_IWOTH):
        yield f"{path.name} can be changed by others, and it may name commands that are run: chmod o-w {path}"
    asks = any(config.sources.use if own.sources is None else own.sources for own in config.inbox.values())
    if not config.contact and asks:
        yield f"{path.name}: contact is empty; Crossref serves nameless clients one list of 50 DOIs a second instead of three"


def _unwise(key: Placed, path: Path, given: Mapping[Place, Any]) -> Iterator[str]:
    """What is unwise about one key: where it is kept, who can read it there, how it travels."""
    secret, where = key.secret, key.where
    if secret.plain and (*key.section, key.name) not in given:
        if not key.is_address:
            yield f'{path.name}: {where} stands in the file itself; better {{ env = "NAME" }} or {{ file = "path" }}'
        if _open_to_others(path):
            yield f"{path.name} holds a key and can be read by others: chmod 600 {path}"
    if secret.kind == "file" and _open_to_others(Path(str(secret.value))):
        yield f"{where}: {secret.value} can be read by others: chmod 600 {secret.value}"
    if key.section[0] not in _NEVER_IN_THE_CLEAR and _is_open(_address(key)):
        yield f"{path.name}: [{'.'.join(key.section)}] url begins with http://: the key travels for all to read; https:// is better"


def _address(key: Placed) -> str:
    """Where a key is sent, as far as the config itself says it."""
    url: Any = getattr(key.owner, "url", "")
    return str(url.value if url.plain else "") if isinstance(url, Secret) else url


def _is_open(url: str) -> bool:
    """Whether what is sent to this address can be read on its way."""
    address = urlsplit(url)
    return address.scheme == "http" and address.hostname not in LOOPBACK


def _host(listen: str) -> str:
    return listen.rpartition(":")[0].strip("[]")


def _keyword_tables(config: Config) -> Iterator[str]:
    """Tables of keywords that do nothing, or leave nothing."""
    for name, own in config.inbox.items():
        if own.keyword_map and own.keywords != "mapped":
            yield f'[inbox.{name}] keyword_map has no effect: keywords = "{own.keywords}", not "mapped"'
        elif own.keywords == "mapped" and not own.keyword_map and own.other_keywords == "off":
            yield f"[inbox.{name}] keyword_map names no keyword, so that every keyword is dropped"


def _open_to_others(path: Path) -> bool:
    return _is(path, stat.S_IRGRP | stat.S_IROTH)


def _is(path: Path, rights: int) -> bool:
    try:
        return os.name == "posix" and bool(path.stat().st_mode & rights)
    except OSError:
        return False
