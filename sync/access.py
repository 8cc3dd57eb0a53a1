"""The right to write: looked at on purpose, whatever was found before, and asked for at the Zotero on this computer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

from sync import wiring
from sync.config import Config, DesktopLibrary
from sync.errors import CredentialFault, Outage, UsageFault
from sync.libraries.desktop import NEW_KEY
from sync.scaffold import NAME, read, scaffold
from sync.secrets import Secret, resolve
from sync.steps.tools import instant

APP = "zotdrop"  # as Zotero's window calls us
KEY_FILE = "zotero-desktop.key"
PERSON = 330.0  # seconds that a person may take to press a button


def check(config: Config, name: str) -> str:
    """The identity of the library `name`, which may be written. Raises what stands against it.

    A key that was refused before is tried once more; after a success neither that nor a stop of the library is remembered.
    """
    library = wiring.open_library(config, name, Event(), again=True)
    try:
        library.check()
        identity = library.identity
    finally:
        library.close()
    ledger = wiring.open_ledger(config)
    try:
        ledger.stops.note(name, instant(wiring.utc_now()), "")
    finally:
        ledger.close()
    return identity


def desktop(folder: Path, url: str | None = None) -> Iterator[str]:
    """Get a key from the Zotero on this computer, keep it in the folder, and write a config for it; line by line what is done.

    url: where it listens, if not at the usual port.  Raises UsageFault, Outage where it is not running, ConfigFault where it
    lets nobody in, CredentialFault where a person does not let us: then nothing is written.
    """
    address, config = _address(url), folder / NAME
    before = read(config) if config.exists() else None
    server_id = _server_id(address)
    yield from _key_in(folder / KEY_FILE, address, server_id)
    library = _library(address, server_id)
    yield from scaffold(folder, library)
    if before is not None and not _writes_to(before, server_id):
        yield f"{config} does not name this Zotero yet; put these lines into it, in place of its [library.main]:"
        yield from ("[library.main]", *library)


def _address(url: str | None) -> str:
    """Where Zotero listens: as named, else its usual port."""
    try:
        return DesktopLibrary.model_validate({"kind": "desktop", **({"url": url} if url else {})}).url
    except ValueError:
        raise UsageFault(f"--url {url}: an address such as http://127.0.0.1:23119 is needed") from None


def _server_id(address: str) -> str:
    with closing(wiring.open_desktop(address)) as zotero:
        try:
            return zotero.server_id
        except Outage:
            words = (
                f"Zotero is not running on this computer, or not at {address}: start it, then: zotdrop init --desktop"
            )
            raise Outage(words, service="zotero") from None


def _key_in(file: Path, address: str, server_id: str) -> Iterator[str]:
    """See to it that the file holds a key that Zotero takes; one that is good is left, one that is not is laid aside."""
    held = resolve(Secret("file", str(file))) if file.exists() else ""
    if held and _lasts(held, address, server_id):
        yield f"{file}: already there, and Zotero takes the key in it; left as it is"
        return
    if held:
        yield f"{file}: Zotero does not take the key in it; another one is asked for"
    yield "Zotero asks in a window of its own whether zotdrop may write: press 'Always Allow' there"
    key = _new_key(address, server_id)
    aside = _stored(file, key)
    yield f"{file}: written, for you alone to read" + (f"; the key of before lies in {aside}" if aside else "")


def _new_key(address: str, server_id: str) -> str:
    """A key that lasts, as a person gives it now."""
    with closing(wiring.open_desktop(address, server_id=server_id, patience=PERSON)) as zotero:
        key, remembered = zotero.authorise(APP)
    if not (remembered and _lasts(key, address, server_id)):
        raise CredentialFault(f"'Allow' lets zotdrop write once only, nothing was kept of it: {NEW_KEY}")
    return key


def _lasts(key: str, address: str, server_id: str) -> bool:
    with closing(wiring.open_desktop(address, key, server_id)) as zotero:
        return zotero.lasts()


def _stored(file: Path, key: str) -> Path | None:
    """Write a key so that nobody else can read it; where the key of before was laid, if there was one."""
    aside = file.with_name(f"{file.name}.old") if file.exists() else None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if aside:
            file.replace(aside)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(f"{key}\n")
    except OSError as fault:
        raise UsageFault(f"{file}: the key cannot be kept there ({fault.strerror}); mend the folder's rights") from None
    return aside


def _library(address: str, server_id: str) -> list[str]:
    """The lines of a library that is this Zotero."""
    usual = DesktopLibrary(kind="desktop").url
    return [
        'kind = "desktop"                        # the Zotero that runs on this computer; it has to run for zotdrop to write',
        f'api_key = {{ file = "{KEY_FILE}" }}',
        f"server_id = {json.dumps(server_id)}",
        *([f"url = {json.dumps(address)}"] if address != usual else []),
    ]


def _writes_to(config: dict[str, Any], server_id: str) -> bool:
    """Whether a library of the config is the Zotero database with this id, with the key that is kept here."""
    libraries = config.get("library")
    wanted = {"kind": "desktop", "server_id": server_id, "api_key": {"file": KEY_FILE}}
    named = libraries.values() if isinstance(libraries, dict) else ()
    return any(isinstance(own, dict) and wanted.items() <= own.items() for own in named)
