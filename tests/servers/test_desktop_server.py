"""The manners of the desktop's local API that differ from the web API's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servers.desktop import LOCAL_KEY, SERVER_ID, DesktopServer

GOOD = {"Zotero-Server-ID": SERVER_ID, "Zotero-API-Key": LOCAL_KEY}


@pytest.fixture
def server() -> Iterator[DesktopServer]:
    with DesktopServer() as made:
        yield made


def post(server: DesktopServer, *items: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.post(f"{server.url}/api/users/0/items", json=list(items), headers=GOOD if headers is None else headers)


def book(version: int = 0, **more: Any) -> dict[str, Any]:
    return {"key": "ABCD2345", "version": version, "itemType": "book", "title": "A book", **more}


def test_reading_needs_no_key_and_every_answer_names_the_database(server: DesktopServer) -> None:
    answer = httpx.get(f"{server.url}/api/users/0/items")
    assert (answer.status_code, answer.headers["zotero-server-id"]) == (200, SERVER_ID)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Zotero-API-Key": LOCAL_KEY}, 428),
        ({"Zotero-API-Key": LOCAL_KEY, "Zotero-Server-ID": "other"}, 412),
        ({"Zotero-Server-ID": SERVER_ID}, 401),
        (GOOD, 200),
    ],
)
def test_writing_needs_the_database_and_a_key(server: DesktopServer, headers: dict[str, str], status: int) -> None:
    assert post(server, book(), headers=headers).status_code == status


def test_a_version_has_to_be_equal_and_a_failure_names_its_key(server: DesktopServer) -> None:
    made = post(server, book()).json()["successful"]["0"]["version"]
    ahead = post(server, {"key": "ABCD2345", "version": made + 5, "title": "Ahead"}).json()["failed"]["0"]
    assert (ahead["code"], ahead["key"]) == (412, "ABCD2345")
    again = post(server, book(), {**book(), "key": "ABCD2346"}).json()
    assert again["failed"]["0"]["code"] == 412
    assert again["success"] == {"1": "ABCD2346"}
    assert post(server, {"key": "ABCD2345", "version": made, "title": "Right"}).json()["success"] == {"0": "ABCD2345"}


def test_a_foreign_field_moves_to_extra(server: DesktopServer) -> None:
    post(server, book(PMID="123", extra="kept: yes"))
    (item,) = server.library().items()
    assert item["extra"] == "kept: yes\nPMID: 123"


@pytest.mark.parametrize(("person", "uses"), [("always", [200, 200]), ("once", [200, 401])])
def test_a_key_lasts_as_long_as_the_person_said(person: str, uses: list[int]) -> None:
    with DesktopServer(person=person) as server:
        given = httpx.post(
            f"{server.url}/api/local/authorize", json={"appName": "zotdrop"}, headers={"Zotero-Server-ID": SERVER_ID}
        ).json()["key"]
        headers = {**GOOD, "Zotero-API-Key": given}
        found = [post(server, {**book(), "key": key}, headers=headers).status_code for key in ("ABCD2345", "ABCD2346")]
        assert (found, server.asked_for) == (uses, ["zotdrop"])


def test_a_person_may_deny_and_the_api_may_be_off() -> None:
    with DesktopServer(person="deny") as server:
        answer = httpx.post(f"{server.url}/api/local/authorize", json={}, headers={"Zotero-Server-ID": SERVER_ID})
        assert (answer.status_code, answer.json()) == (403, {"denied": True})
    with DesktopServer(enabled=False) as server:
        assert httpx.get(f"{server.url}/api/users/0/items").status_code == 403


def test_an_old_zotero_can_only_be_read() -> None:
    with DesktopServer(old=True) as server:
        answer = httpx.get(f"{server.url}/api/users/0/items")
        assert answer.status_code == 200
        assert "zotero-server-id" not in answer.headers
        assert post(server, book()).status_code == 501
