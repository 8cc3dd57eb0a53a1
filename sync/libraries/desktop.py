"""The library of the Zotero that runs on this computer, through its local API (Zotero 10 or newer; 7 can only be read)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pyzotero.zotero import Zotero as Pyzotero

from sync.errors import ConfigFault, CredentialFault, Throttled
from sync.libraries import rules
from sync.libraries.api import Answered, Api, Final, Service
from sync.libraries.zotero import WRITE_TIMEOUT, ApiLibrary

URL = "http://127.0.0.1:23119/api"
ALLOW = "Settings > Advanced > 'Allow other applications on this computer to communicate with Zotero'"
NEW_KEY = "run `zotdrop init --desktop` and press 'Always Allow' in Zotero"

DESKTOP = Service(
    name="zotero",
    away="Zotero is not running on this computer; start it, it will be tried again",
    final=(
        Final(401, "", CredentialFault, f"Zotero on this computer wants a local key ({{said}}): {NEW_KEY}"),
        Final(403, "not enabled", ConfigFault, f"Zotero is running, but its local API is off: tick {ALLOW}"),
        Final(403, r'"denied": *true', CredentialFault, f"'Deny' was pressed in Zotero: {NEW_KEY}"),
        Final(403, "", CredentialFault, "Zotero on this computer says {said}"),
        Final(
            412,
            "Server-ID",
            ConfigFault,
            "this is another Zotero database than before ({said}): correct [library] server_id",
        ),
        Final(501, "", ConfigFault, "this Zotero is too old ({said}): its local API can be written from version 10 on"),
    ),
    eager=False,
)


class Desktop(ApiLibrary):
    """A `Library` in a running Zotero: that of its user.

    api_key: a local key that was given with "Always Allow"; one that was only "allowed" is used up by a single request.
    server_id: which database it must be; None takes the one that answers.  wait, now, timeout: as for `Zotero`.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        wait: Callable[[float], None],
        url: str = URL,
        server_id: str | None = None,
        now: Callable[[], float] = time.monotonic,
        timeout: float = WRITE_TIMEOUT,
    ) -> None:
        client = Pyzotero(0, "user", local=True, server_id=server_id, local_api_key=api_key)
        address = url.rstrip("/")
        client.endpoint = address if urlsplit(address).path else f"{address}/api"
        super().__init__(Api(client, DESKTOP, wait=wait, now=now, timeout=timeout, secrets=[api_key]))
        self._client, self._has_key = client, bool(api_key)

    @property
    def identity(self) -> str:
        """`desktop:<server id>/users/0`. Raises Outage where Zotero has to be asked for it and is not running."""
        return f"desktop:{self.server_id}/users/0"

    def check(self) -> None:
        """Raise Outage where Zotero is not running, ConfigFault where it lets nobody in, CredentialFault where the key is none."""
        expected = self._client.server_id
        found = self._ask_server_id()
        if expected and found != expected:
            raise ConfigFault(f"this is the Zotero database {found}, not {expected}: correct [library] server_id")
        if not self._has_key:
            raise CredentialFault(f"Zotero on this computer wants a local key: {NEW_KEY}")
        self._use_key()

    @property
    def server_id(self) -> str:
        """Which database answers. Raises Outage where Zotero is not running, ConfigFault where it lets nobody in."""
        return self._client.server_id or self._ask_server_id()

    def authorise(self, name: str) -> tuple[str, bool]:
        """A new key for the program of this name, and whether it was given for good: a person is asked in Zotero's window.

        Raises CredentialFault where the person says no, Outage where nobody answers, Throttled after too many questions.
        """
        try:
            given = self._api.once(lambda: self._client.authorize_local(name), dict)
        except Throttled as fault:
            words = f"Zotero asks a person five times a minute at most: wait {fault.seconds:.0f} s, then {NEW_KEY}"
            raise Throttled(words, service=DESKTOP.name, seconds=fault.seconds) from None
        except Answered as answer:
            raise answer if answer.status else self._api.away(f"no answer from its window; {NEW_KEY}") from None
        return str(given["key"]), bool(given.get("remember"))

    def lasts(self) -> bool:
        """Whether Zotero takes the key again and again; one that was only "allowed" is used up by this."""
        try:
            for _ in range(2):
                self._use_key()
        except CredentialFault:
            return False
        return True

    def _use_key(self) -> None:
        """Write nothing, for which the key has to be right all the same. Raises CredentialFault."""
        try:
            self._api.create_items([])
        except Answered as answer:
            if answer.status != 400:  # "No items provided"
                raise

    def _ask_server_id(self) -> str:
        """Which database answers; kept, so that a write to another one is refused, unless one was named before."""
        try:
            found = self._api.root().get("Zotero-Server-ID", "")
        except Answered as answer:
            found = ""
            if answer.status != 404:  # "No endpoint found": a Zotero that has no local API at all
                raise
        if not found:
            raise ConfigFault("this Zotero is too old: its local API can be written from version 10 on")
        self._client.server_id = self._client.server_id or found
        return found

    def _gone(self, since: int) -> list[str]:
        try:
            return super()._gone(since)
        except Answered as answer:
            if answer.status != 404:
                raise
            return []  # some builds do not tell; an update of such an item then answers that it is not there

    def _fault(self, data: Mapping[str, Any], new: bool) -> rules.Fault | None:
        """What zotero.org would refuse: the desktop takes it, moves foreign fields to Extra, and fails when it syncs."""
        return rules.fault(data, None) if new else super()._fault(data, new)
