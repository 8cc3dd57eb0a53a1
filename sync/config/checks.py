"""What single options may hold. Each check gives the value back or raises ValueError, which says what is needed."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from sync.cron import cron_fields
from sync.cron import hours as hours_of

PLACES = ("subfolder", "database", "date", "drop", "review")  # what stands in braces in a collection's path

_CONTACT = re.compile(r"[^\s@<>(),;:\"]+@[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE | re.ASCII)


def contact(text: str) -> str:
    """An e-mail address, or nothing."""
    if text and not (text.isascii() and _CONTACT.fullmatch(text)):
        raise ValueError(f'an e-mail address such as "librarian@example.org" is needed, got {text!r}')
    return text


def schedule(text: str) -> str:
    """Five fields of cron, `every 15m`, or nothing."""
    if text:
        cron_fields(text)
    return text


def hours(text: str) -> str:
    """Hours of the day, such as `08:00-18:00`, or nothing."""
    if text:
        hours_of(text)
    return text


def zone(text: str) -> str:
    """The name of a time zone, or `local`."""
    if text == "local":
        return text
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        hint = near(text, ["local", *available_timezones()])
        raise ValueError(
            f'an IANA time zone such as "Europe/Berlin", or "local", is needed, got {text!r}{hint}'
        ) from None
    return text


def url(text: str) -> str:
    """An address of the web, to which paths are put."""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:  # half an IPv6 address, a port that is none
        whole = False
    if not whole:
        raise ValueError(f"an address that begins with https:// is needed, got {text!r}")
    if parts.query or parts.fragment:
        raise ValueError("an address without ? and # is needed; what is asked for is put after it")
    if "@" in parts.netloc:
        raise ValueError("an address without name and password is needed; keys have options of their own")
    return text


def mailbox(text: str) -> str:
    """An e-mail address."""
    return contact(text or "@")


def posting(text: str) -> str:
    """An address to post to; unlike `url` it is taken as it stands, and shown nowhere: it may hold a key."""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:
        whole = False
    if not whole or "@" in parts.netloc:
        raise ValueError("an address that begins with https:// is needed, without name and password")
    return text


def listen(text: str) -> str:
    """Host and port, or nothing."""
    host, colon, port = text.rpartition(":")
    whole = bool(host) and bool(colon) and port.isdecimal() and int(port) < 65_536
    if text and not (whole and not re.search(r"[\s/@]", host)):
        raise ValueError(f'host and port such as "127.0.0.1:9464" are needed, got {text!r}')
    return text


def path(text: str) -> str:
    """A path; what is there is not asked."""
    if not text.strip() or "\0" in text:
        raise ValueError("a path is needed")
    try:
        Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"nobody's home folder is known as {text.split('/', maxsplit=1)[0]!r}") from None
    return text


def name(text: str) -> str:
    """The name of a section."""
    if not re.fullmatch(r"\w[\w.-]*", text):
        raise ValueError(f"a name of letters, digits, _ and - is needed, got {text!r}")
    return text


def encoding(name: str) -> str:
    """The name of an encoding that has line ends, or `auto`."""
    try:
        ends = "" if name == "auto" else "\r\n".encode(name).decode("latin-1") + b"\xff".decode(name, "replace")
    except (LookupError, ValueError):
        ends = "?"
    if ends and not re.match(r"(?:\xef\xbb\xbf)?\r\n|(?:\xff\xfe)?\r\0\n\0(?!\0)|\0\r\0\n", ends):
        raise ValueError(f'"auto" or a name such as "utf-8" or "cp1252" is needed, got {name!r}')
    return name


def collection(text: str) -> str:
    """A path of collections with places in braces."""
    for name in re.findall(r"\{([^{}]*)\}", text):
        if name not in PLACES:
            raise ValueError(f"{{{name}}} stands for nothing; there is {{{'} {'.join(PLACES)}}}{near(name, PLACES)}")
    return text


def once(names: list[Any]) -> list[Any]:
    """A list that names nothing twice."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} stands there {names.count(name)} times; once is enough")
    return names


def near(word: str, known: Any) -> str:
    """A hint at the known word that was probably meant, or nothing."""
    found = difflib.get_close_matches(word, [str(name) for name in known], n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
