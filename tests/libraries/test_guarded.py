"""A key that was refused is not sent again, whatever is asked of the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync.core.keys import derived_key
from sync.errors import CredentialFault, KeyRefused
from sync.libraries.base import Library, Receipt, Write
from sync.libraries.guarded import Guarded
from sync.libraries.zotero import Zotero
from tests.servers.base import Request
from tests.servers.zotero import API_KEY, USER, Key, ZoteroServer

Opened = Callable[..., Guarded]
BOOK = Write(derived_key("test", 1), 0, {"itemType": "book", "title": "Quiet wards"})
ASK: dict[str, Callable[[Library], object]] = {
    "check": lambda library: library.check(),
    "changes": lambda library: list(library.changes(0)),
    "collection": lambda library: library.collection(["zotdrop"]),
    "write": lambda library: library.write([BOOK]),
    "items": lambda library: list(library.items()),
}


class Notes:
    """A memory that forgets when the test ends."""

    def __init__(self, held: str = "") -> None:
        self.held = held
        self.noted: list[str] = []

    def refusal(self) -> str:
        return self.held

    def refused(self, why: str) -> None:
        self.held = why
        self.noted.append(why)

    def accepted(self) -> None:
        self.held = ""


@pytest.fixture
def server() -> Iterator[ZoteroServer]:
    with ZoteroServer() as running:
        yield running


@pytest.fixture
def guarded(server: ZoteroServer) -> Iterator[Opened]:
    made: list[Guarded] = []

    def guarded(notes: Notes, key: str = API_KEY, **how: Any) -> Guarded:
        real = Zotero(library_type="user", library_id=USER, api_key=key, url=server.url, wait=lambda _seconds: None)
        made.append(Guarded(real, notes, **how))
        return made[-1]

    yield guarded
    for library in made:
        library.close()


@pytest.mark.parametrize("ask", ASK)
def test_a_key_that_was_refused_is_not_sent(server: ZoteroServer, guarded: Opened, ask: str) -> None:
    library = guarded(Notes("refused before; `zotdrop check`"))
    with pytest.raises(KeyRefused, match="refused before"):
        ASK[ask](library)
    library.close()
    assert (server.log, library.requests, library.identity) == ([], 0, f"zotero:users/{USER}@127.0.0.1")


@pytest.mark.parametrize("ask", ASK)
def test_a_key_that_is_refused_now_is_noted_once_when_the_library_is_closed(
    server: ZoteroServer, guarded: Opened, ask: str
) -> None:
    notes = Notes()
    library = guarded(notes, "wrong")
    for _ in range(3):
        with pytest.raises(KeyRefused):
            ASK[ask](library)
    library.close()
    assert set(notes.noted) == {notes.held}
    assert "does not know this API key: make a new one at https://" in notes.held
    assert len(server.log) == 1


def test_a_key_that_was_withdrawn_in_the_middle_is_noted(server: ZoteroServer, guarded: Opened) -> None:
    notes = Notes()
    library = guarded(notes)
    library.check()
    del server.world.keys[API_KEY]
    with pytest.raises(KeyRefused):
        library.write([BOOK])
    assert notes.noted == []
    library.close()
    assert len(notes.noted) == 1


def test_a_missing_right_is_no_refused_key(server: ZoteroServer, guarded: Opened) -> None:
    server.world.keys[API_KEY] = Key(USER, write=False)
    notes = Notes()
    library = guarded(notes)
    for ask in ("check", "write"):
        with pytest.raises(CredentialFault):
            ASK[ask](library)
    library.close()
    assert notes.noted == []


def test_a_key_may_be_refused_with_401_too(server: ZoteroServer, guarded: Opened) -> None:
    server.fail(1, status=401, body="Unauthorized")
    notes = Notes()
    with pytest.raises(KeyRefused, match="Unauthorized"):
        guarded(notes).check()
    assert len(notes.noted) == 1


def test_only_a_check_that_passes_lets_a_key_be_forgotten(server: ZoteroServer, guarded: Opened) -> None:
    notes = Notes("refused before")
    again = guarded(notes, "wrong", again=True)
    with pytest.raises(KeyRefused, match="does not know"):
        again.check()
    assert notes.held
    server.world.keys["wrong"] = Key(USER)
    guarded(notes, "wrong", again=True).check()
    assert notes.held == ""


def test_a_good_key_works_as_without_a_guard(server: ZoteroServer, guarded: Opened) -> None:
    def writes(request: Request) -> bool:
        return request.method == "POST"

    library = guarded(Notes())
    library.check()
    assert isinstance(library.write([BOOK])[0], Receipt)
    assert [item.key for item in library.items()] == [BOOK.key]
    assert library.requests == len(server.log)
    assert sum(map(writes, server.log)) == 1
    library.close()
