"""Who may write a group's library, as `/groups/ID` tells it.

The rules are those of Zotero's own server (`userCanEdit`, https://github.com/zotero/dataserver, model/Group.inc.php): the owner
and the admins always may, members where `libraryEditing` is "members". Roles that nobody has are left out of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PAGE = "https://www.zotero.org/groups/{id}"


def role(group: Mapping[str, Any], user: str) -> str:
    """What the user is in the group: owner, admin or member; empty for a stranger."""
    if str(group.get("owner")) == user:
        return "owner"
    named = {name: {str(each) for each in group.get(f"{name}s") or ()} for name in ("admin", "member")}
    return next((name for name, users in named.items() if user in users), "")


def objection(group: Mapping[str, Any], user: str) -> str:
    """Why this user may not write the group's library, who may, and the page to mend it; empty if the user may."""
    held = role(group, user)
    open_to_members = group.get("libraryEditing") == "members"
    if held in {"owner", "admin"} or (held and open_to_members):
        return ""
    page, name = f"{PAGE.format(id=group.get('id'))}/settings", f"group {group.get('id')} ({group.get('name')})"
    if open_to_members:
        return f"only its members may write {name}, and the API key's user {user} is none: join it, or be invited at {page}/members"
    return (
        f"only {_writers(group)} may write {name}, and the API key's user {user} is {held or 'no member'} there: become an"
        f" admin at {page}/members, or let all members edit at {page}/library"
    )


def closed(number: str, user: str) -> str:
    """What it means that a group is not shown to a key that has the right to it."""
    return (
        f"group {number} is private, and the API key's user {user} is no member of it: ask its owner for an invitation, or"
        f" correct [library] id; a group's number stands in its address, {PAGE.format(id=number)}"
    )


def _writers(group: Mapping[str, Any]) -> str:
    """Those who may write where members may not."""
    admins = [str(each) for each in group.get("admins") or ()]
    named = f"{'admin' if len(admins) == 1 else 'admins'} {', '.join(admins)}" if admins else "admins (it has none yet)"
    return f"its owner (user {group.get('owner')}) and its {named}"
