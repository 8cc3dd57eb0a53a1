"""The running desktop: whether it runs, which database it has, and what it lets programs do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sync.core.keys import derived_key
from sync.errors import ConfigFault, CredentialFault, Outage, Throttled
from sync.libraries.base import Receipt, Refusal, Write
from sync.libraries.desktop import Desktop
from tests.servers.base import Reply
from tests.servers.desktop import LOCAL_KEY, PROMPTS, SERVER_ID, DesktopServer

KEY = derived_key("test", 1)
BOOK = Write(KEY, 0, {"itemType": "book", "title": "Quiet wards"})


def never(seconds: float) -> None:
    raise AssertionError(f"nothing here is worth a wait of {seconds} s")


@pytest.fixture
def server() -> Iterator[DesktopServer]:
    with DesktopServer() as running:
        yield running


@pytest.fixture
def opened() -> Iterator[Any]:
    made: list[Desktop] = []

    def opened(server: DesktopServer, **changed: Any) -> Desktop:
        usual: dict[str, Any] = {"url": server.url, "api_key": LOCAL_KEY, "wait": never, "now": lambda: 0.0}
        made.append(Desktop(**usual | changed))
        return made[-1]

    yield opened
    for library in made:
        library.close()


def test_the_identity_is_that_of_the_database(server: DesktopServer, opened: Any) -> None:
    assert opened(server).identity == f"desktop:{SERVER_ID}/users/0"


def test_a_known_database_need_not_be_asked_for(server: DesktopServer, opened: Any) -> None:
    library = opened(server, server_id="5eed", url=f"{server.url}/api/")
    assert library.identity == "desktop:5eed/users/0"
    assert library.requests == 0


def test_another_database_than_expected_is_not_written(server: DesktopServer, opened: Any) -> None:
    library = opened(server, server_id="5eed")
    with pytest.raises(ConfigFault, match=f"database {SERVER_ID}, not 5eed"):
        library.check()
    with pytest.raises(ConfigFault, match="another Zotero database"):
        library.write([BOOK])
    assert server.library().items() == []


def test_a_desktop_that_is_not_running_is_an_outage_at_once(opened: Any) -> None:
    with DesktopServer() as server:
        pass
    for ask in (lambda x: x.check(), lambda x: x.identity, lambda x: x.write([BOOK]), lambda x: list(x.changes(0))):
        with pytest.raises(Outage, match="Zotero is not running"):
            ask(opened(server))


def test_a_local_api_that_is_off_says_where_it_is_switched_on(server: DesktopServer, opened: Any) -> None:
    server.enabled = False
    with pytest.raises(ConfigFault, match="Allow other applications"):
        opened(server).check()


def test_an_old_zotero_is_named(server: DesktopServer, opened: Any) -> None:
    server.old = True
    with pytest.raises(ConfigFault, match="version 10"):
        opened(server).check()
    with pytest.raises(ConfigFault, match="version 10"):
        opened(server, server_id=SERVER_ID).write([BOOK])


def test_without_a_key_a_check_says_how_to_get_one(server: DesktopServer, opened: Any) -> None:
    with pytest.raises(CredentialFault, match="zotdrop init --desktop"):
        opened(server, api_key=None).check()


def test_a_zotero_without_a_local_api_is_too_old(server: DesktopServer, opened: Any) -> None:
    server.fail(None, status=404, body="No endpoint found")
    with pytest.raises(ConfigFault, match="version 10"):
        opened(server).check()


def test_a_wrong_key_is_found_by_the_check_and_nothing_is_written(server: DesktopServer, opened: Any) -> None:
    opened(server).check()
    with pytest.raises(CredentialFault, match=r"Invalid or expired API key.*zotdrop init --desktop"):
        opened(server, api_key="wrong").check()
    assert server.library().items() == []


@pytest.mark.parametrize(("person", "lasting"), [("always", True), ("once", False)])
def test_a_key_is_given_by_a_person_for_good_or_for_one_write(
    server: DesktopServer, opened: Any, person: str, lasting: bool
) -> None:
    server.person = person
    key, remembered = opened(server, api_key=None).authorise("zotdrop")
    assert server.asked_for == ["zotdrop"]
    assert (remembered, opened(server, api_key=key).lasts()) == (lasting, lasting)


def test_a_person_who_denies_is_a_credential_fault(server: DesktopServer, opened: Any) -> None:
    server.person = "deny"
    with pytest.raises(CredentialFault, match="'Deny' was pressed"):
        opened(server, api_key=None).authorise("zotdrop")


def test_a_person_is_asked_once_and_never_again_by_itself(server: DesktopServer, opened: Any) -> None:
    for _ in range(PROMPTS):
        opened(server, api_key=None).authorise("zotdrop")
    with pytest.raises(Throttled, match=r"wait \d+ s, then run `zotdrop init --desktop`"):
        opened(server, api_key=None).authorise("zotdrop")
    server.fail(None, status=503, body="busy", when=lambda request: request.path.endswith("/authorize"))
    with pytest.raises(Outage, match="503"):
        opened(server, api_key=None, server_id=SERVER_ID).authorise("zotdrop")
    assert sum(request.path.endswith("/authorize") for request in server.log) == PROMPTS + 2


def test_a_window_that_nobody_answers_is_an_outage(server: DesktopServer, opened: Any) -> None:
    never_pressed = threading.Event()
    server.hang(never_pressed, when=lambda request: request.path.endswith("/authorize"))
    with pytest.raises(Outage, match="no answer from its window"):
        opened(server, api_key=None, timeout=0.2).authorise("zotdrop")
    never_pressed.set()


def test_a_key_that_was_for_one_use_says_so(server: DesktopServer, opened: Any) -> None:
    server.keys["once"] = False
    library = opened(server, api_key="once")
    assert isinstance(library.write([BOOK])[0], Receipt)
    with pytest.raises(CredentialFault, match="Always Allow"):
        library.write([BOOK])


def test_foreign_fields_are_refused_before_they_end_in_extra(server: DesktopServer, opened: Any) -> None:
    [answer] = opened(server).write([Write(KEY, 0, {**BOOK.data, "runningTime": "80"})])
    assert isinstance(answer, Refusal)
    assert answer.code == 400
    assert not any(request.method == "POST" for request in server.log)


def test_a_build_that_does_not_tell_deletions_is_read_all_the_same(server: DesktopServer, opened: Any) -> None:
    library = opened(server)
    library.write([BOOK])
    server.fail(None, status=404, body="No endpoint found", when=lambda request: request.path.endswith("/deleted"))
    assert [item.key for delta in library.changes(0) for item in delta.items] == [KEY]


def test_the_local_key_is_in_no_error(server: DesktopServer, opened: Any) -> None:
    server.twist(lambda _handle, request: Reply(403, json.dumps(dict(request.headers)).encode()), None)
    with pytest.raises(CredentialFault) as told:
        opened(server, server_id=SERVER_ID).write([BOOK])
    assert LOCAL_KEY not in str(told.value)
    assert "***" in str(told.value)


def test_the_database_is_asked_for_once(server: DesktopServer, opened: Any) -> None:
    library = opened(server)
    assert library.identity == library.identity
    library.write([BOOK])
    assert [request.method for request in server.log] == ["GET", "POST"]
