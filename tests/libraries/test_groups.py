"""Who may write a group's library: told by role, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import ConfigFault, CredentialFault, Outage
from sync.libraries.groups import objection, role
from sync.libraries.zotero import Zotero
from tests.servers.base import Reply
from tests.servers.zotero import Group, Key, ZoteroServer

OWNER, ADMIN, MEMBER, STRANGER = 1, 2, 3, 4
OPEN = {"id": 7, "name": "Ward", "owner": OWNER, "admins": [ADMIN], "members": [MEMBER], "libraryEditing": "members"}
CLOSED = OPEN | {"libraryEditing": "admins"}
SETTINGS = "https://www.zotero.org/groups/7/settings"


def server_of(**group: Any) -> ZoteroServer:
    made = Group("Ward", OWNER, frozenset({MEMBER}), admins=frozenset({ADMIN}), **group)
    people = {OWNER: "owner", ADMIN: "admin", MEMBER: "member", STRANGER: "stranger"}
    return ZoteroServer(people, {name: Key(user) for user, name in people.items()}, {7: made})


def check(server: ZoteroServer, key: str, number: int = 7) -> int:
    """Check that group's library with this key; the number of requests that were made."""
    library = Zotero(library_type="group", library_id=number, api_key=key, url=server.url, wait=never)
    try:
        library.check()
        return library.requests
    finally:
        library.close()


def never(seconds: float) -> None:
    raise AssertionError(f"nothing here is worth a wait of {seconds} s")


def test_a_role_is_told_by_the_list_that_names_the_user() -> None:
    assert [role(OPEN, str(user)) for user in (OWNER, ADMIN, MEMBER, STRANGER)] == ["owner", "admin", "member", ""]
    assert role({"owner": OWNER}, str(MEMBER)) == ""


@pytest.mark.parametrize(
    ("group", "may"),
    [(OPEN, {OWNER, ADMIN, MEMBER}), (CLOSED, {OWNER, ADMIN}), (OPEN | {"libraryEditing": "none"}, {OWNER, ADMIN})],
)
def test_the_owner_and_the_admins_always_write_and_members_where_they_may_edit(
    group: dict[str, Any], may: set[int]
) -> None:
    assert {user for user in (OWNER, ADMIN, MEMBER, STRANGER) if not objection(group, str(user))} == may


def test_an_objection_names_who_may_write_and_the_pages_that_change_it() -> None:
    told = objection(CLOSED | {"admins": [ADMIN, 9]}, str(MEMBER))
    assert "its owner (user 1) and its admins 2, 9 may write group 7 (Ward)" in told
    assert "user 3 is member there" in told
    assert f"{SETTINGS}/members" in told
    assert f"{SETTINGS}/library" in told
    alone = {name: value for name, value in CLOSED.items() if name != "admins"}
    assert "its owner (user 1) and its admins (it has none yet)" in objection(alone, str(MEMBER))


def test_a_stranger_is_told_to_join() -> None:
    told = objection(OPEN, str(STRANGER))
    assert "the API key's user 4 is none" in told
    assert f"{SETTINGS}/members" in told
    assert "user 4 is no member there" in objection(CLOSED, str(STRANGER))


def test_a_member_whose_group_only_admins_edit_is_refused_before_anything_is_sent() -> None:
    with server_of(editing="admins") as server:
        assert [check(server, key) for key in ("owner", "admin")] == [2, 2]
        with pytest.raises(CredentialFault, match=r"owner \(user 1\) and its admin 2 may write group 7"):
            check(server, "member")
        assert {request.method for request in server.log} == {"GET"}


def test_members_write_where_they_may_edit_at_the_cost_of_one_request_more() -> None:
    with server_of() as server:
        assert check(server, "member") == 2
        assert [request.path for request in server.log] == ["/keys/current", "/groups/7"]


def test_a_private_group_that_does_not_show_itself_says_that_the_user_is_no_member() -> None:
    with server_of() as server, pytest.raises(CredentialFault, match="user 4 is no member of it"):
        check(server, "stranger")


def test_a_group_that_is_not_there_is_a_config_fault() -> None:
    with server_of() as server, pytest.raises(ConfigFault, match="Group 9 not found"):
        check(server, "owner", 9)


def test_the_groups_own_version_is_not_taken_for_its_librarys() -> None:
    with server_of(version=99) as server:
        library = Zotero(library_type="group", library_id=7, api_key="owner", url=server.url, wait=never)
        library.check()
        assert library._api.version == 0
        library.close()


def test_a_group_that_is_told_in_another_form_is_no_answer() -> None:
    with server_of() as server:
        server.twist(lambda _handle, _request: Reply.json({"id": 7}), None, lambda request: request.path == "/groups/7")
        library = Zotero(
            library_type="group", library_id=7, api_key="owner", url=server.url, wait=lambda _seconds: None
        )
        with pytest.raises(Outage, match="no answer of its API"):
            library.check()
        library.close()
