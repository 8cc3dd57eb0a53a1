"""Recorded exchanges with a Zotero server, played against the stand-in, and what differs.

The recording is shortened: long strings and arrays are cut (`…[50 entries in all]`), accounts are placeholders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Event, Thread
from typing import Any, TypeAlias

import httpx

from tests.servers.zotero import Group, Key, Limits, ZoteroServer

Exchange: TypeAlias = Mapping[str, Any]

NAMES = {
    "{KEY}": "rwrwrwrwrwrwrwrwrwrwrwrw",
    "{KEY_RO}": "rororororororororororoxx",
    "{KEY_NONOTES}": "nonotesnonotesnonotesxxx",
    "{KEY_OTHER}": "otherotherotherotherxxxx",
    "{USER}": "1001",
    "{USERNAME}": "labuser",
}
KEYS = {
    NAMES["{KEY}"]: Key(1001),
    NAMES["{KEY_RO}"]: Key(1001, write=False, groups={"all": False}),
    NAMES["{KEY_NONOTES}"]: Key(1001, notes=False, groups={}),
    NAMES["{KEY_OTHER}"]: Key(1002),
}
TRACKED: tuple[str, ...] = (
    "last-modified-version",
    "total-results",
    "link",
    "retry-after",
    "backoff",
    "allow",
    "content-type",
)
TRACKED += ("zotero-api-version", "zotero-schema-version")
STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CUT_LIST = re.compile(r"…?\[(\d+) entries in all\]\Z")
CUT_TEXT = re.compile(r"(?s)(.*)…\[(\d+) chars\]…(.*)\Z")
KEY_IN_MESSAGE = re.compile(r"item '\d+/([2-9A-NP-Z]{8})'")
PARTLY_RECORDED = range(207, 215)  # from a second recording, with the headers of interest only
A_WRITE = [{"itemType": "book", "title": "A book"}]  # where the recording does not say what was written


def server_of_recording(now: Callable[[], datetime]) -> ZoteroServer:
    """The accounts of the recording; its clock stands still."""
    server = ZoteroServer(
        {1001: NAMES["{USERNAME}"], 1002: "other"}, KEYS, {1: Group("Lab Group", 1001)}, now=now, clock=lambda: 0.0
    )
    server.world.shelves["users/1001"].version = 3
    server.world.shelves["groups/1"].version = 1
    return server


class Replay:
    """Plays exchanges in order; `differences` tells by number what came out otherwise."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = exchanges
        self.differences: dict[int, list[str]] = {}
        self._numbers = {each["id"]: each for each in exchanges}
        self._now = "2026-11-23T05:45:40Z"
        self._keys: Iterator[str] = iter(())
        self._server = server_of_recording(lambda: datetime.fromisoformat(self._now))
        self._server.world.new_key = lambda: next(self._keys)
        self._states = {207: self._rate, 208: self._crowd, 209: self._backoff, 211: self._maintenance, 213: self._wrong}

    def run(self) -> None:
        """Play all of them."""
        with self._server as server, httpx.Client(base_url=server.url, timeout=30) as client:
            for at, exchange in enumerate(self.exchanges):
                self._now = max(self._now, next(filter(None, map(_latest, self.exchanges[at:])), ""))
                self._keys = _chosen_keys(exchange, self._numbers)
                self._states.get(exchange["id"], _nothing)(client)
                self.differences[exchange["id"]] = list(self._play(client, exchange))

    def _play(self, client: httpx.Client, exchange: Exchange) -> Iterator[str]:
        asked, wanted = exchange["request"], exchange["response"]
        headers = {name: self._filled(value) for name, value in asked["headers"].items()}
        answer = client.request(
            asked["method"], self._filled(asked["path"]), headers=headers, content=self._filled(_body(exchange))
        )
        if answer.status_code != wanted["status"]:
            yield f"status {answer.status_code}, recorded {wanted['status']}: {answer.text[:300]}"
        yield from self._header_differences(exchange, answer)
        yield from _unlike(self._expected(wanted["body"]), _read(answer), "body")

    def _header_differences(self, exchange: Exchange, answer: httpx.Response) -> Iterator[str]:
        recorded = {name: self._filled(value) for name, value in exchange["response"]["headers"].items()}
        some = recorded if exchange["id"] in PARTLY_RECORDED else TRACKED
        for name in some:
            found, wanted = answer.headers.get(name), recorded.get(name)
            drawn = exchange["id"] == 208 and name == "retry-after" and found in set(map(str, range(1, 31)))
            if found != wanted and not drawn:
                yield f"{name}: {found}, recorded {wanted}"

    def _filled(self, text: str) -> str:
        for name, value in {**NAMES, "{BASE}": self._server.url}.items():
            text = text.replace(name, value)
        return text

    def _expected(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._filled(name): self._expected(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._expected(each) for each in value]
        if isinstance(value, str):
            return 1001 if value == "{USER}" else self._filled(value)
        return value

    def _get(self, client: httpx.Client, key: str = NAMES["{KEY}"]) -> int:
        headers = {"Zotero-API-Key": key}
        return client.get("/users/1001/items?limit=1&format=keys", headers=headers).status_code

    def _rate(self, client: httpx.Client) -> None:
        self._server.limit(Limits(burst=100))
        assert [self._get(client) for _ in range(100)] == [200] * 100

    def _crowd(self, client: httpx.Client) -> None:
        self._server.limit(Limits(concurrent=5))
        held = Event()
        self._server.hang(held, 5)
        waiting = [Thread(target=self._get, args=(client,)) for _ in range(5)]
        for thread in waiting:
            thread.start()
        self._server.await_pending(5)
        self._release = (held, waiting)

    def _backoff(self, _client: httpx.Client) -> None:
        held, waiting = self._release
        held.set()
        for thread in waiting:
            thread.join()
        self._server.limit(Limits())
        self._server.backoff = 7
        self._server.world.shelves["users/1001"].version = 1053

    def _maintenance(self, _client: httpx.Client) -> None:
        self._server.backoff = None
        self._server.maintenance = True

    def _wrong(self, client: httpx.Client) -> None:
        self._server.maintenance = False
        assert [self._get(client, "wrong") for _ in range(6)] == [403] * 5 + [429]


def _nothing(_client: httpx.Client) -> None:
    """Most exchanges need no state of the service."""


def _latest(exchange: Exchange) -> str:
    stamps = STAMP.findall(json.dumps(exchange["response"]["body"]))
    return max(stamps, default="")


def _body(exchange: Exchange) -> str:
    body = exchange["request"]["body"]
    if body is None:
        return json.dumps(A_WRITE) if exchange["request"]["method"] == "POST" else ""
    return body if isinstance(body, str) else json.dumps(_whole(body, exchange))


def _whole(value: Any, exchange: Exchange) -> Any:
    if isinstance(value, Mapping):
        return {name: _whole(each, exchange) for name, each in value.items()}
    if isinstance(value, list):
        cut = CUT_LIST.match(value[-1]) if value and isinstance(value[-1], str) else None
        return _refilled(value[:-1], int(cut[1]), exchange) if cut else [_whole(each, exchange) for each in value]
    found = CUT_TEXT.match(value) if isinstance(value, str) else None
    return found[1][0] * int(found[2]) if found else value


def _refilled(shown: Sequence[Any], count: int, exchange: Exchange) -> list[Any]:
    """An array that was cut after three: odd dates as the note lists them, else more of the same, numbered on."""
    first = shown[0]
    if "note" in exchange:
        dates = next((list(note) for note in _dated_notes(exchange)), [])
        if dates:
            return [{**first, "date": date} for date in dates]
    label = "name" if "name" in first else "title"
    numbered = re.fullmatch(r"(\D+?)(0+)", first[label])
    if not numbered:
        return [first] * count
    return [{**first, label: f"{numbered[1]}{i:0{len(numbered[2])}}"} for i in range(count)]


def _dated_notes(exchange: Exchange) -> Iterator[Mapping[str, Any]]:
    if isinstance(exchange["note"], Mapping):
        yield from exchange["note"].values()


def _chosen_keys(exchange: Exchange, numbers: Mapping[int, Exchange]) -> Iterator[str]:
    """The keys that the recorded server chose in this exchange, in order; made up where they were not recorded."""
    body = exchange["response"]["body"]
    known = dict(body.get("success", {})) if isinstance(body, Mapping) else {}
    messages = body.get("failed", {}) if isinstance(body, Mapping) else {}
    known |= {at: m[1] for at, each in messages.items() if (m := KEY_IN_MESSAGE.search(each["message"]))}
    known |= LATER[exchange["id"]](numbers) if exchange["id"] in LATER else {}
    found = re.search(r'"key": "([2-9A-NP-Z]{8})"', body) if isinstance(body, str) else None
    known |= {"0": found[1]} if found else {}
    sent = json.loads(_body(exchange)) if isinstance(exchange["request"]["body"], list) else A_WRITE
    for index, each in enumerate(sent):
        if "key" not in each:
            yield known.get(str(index)) or f"22{exchange['id']:0>4}{index:0>2}".replace("0", "A").replace("1", "B")


def _keys_of_21(numbers: Mapping[int, Exchange]) -> dict[str, str]:
    """All fifty, from a later query that names them."""
    listed = numbers[162]["request"]["path"].partition("itemKey=")[2].split(",")[:50]
    return {str(at): key for at, key in enumerate(listed)}


def _keys_of_86(numbers: Mapping[int, Exchange]) -> dict[str, str]:
    """The last few of 25, from a later list, newest first, that is cut in the midst of a key."""
    newest = numbers[87]["response"]["body"]["success"]["0"]
    shown = numbers[153]["response"]["body"].partition("…")[0].split()
    listed = shown[shown.index(newest) + 1 :]
    return {str(24 - at): key.ljust(8, "2") for at, key in enumerate(listed)}


LATER: Mapping[int, Callable[[Mapping[int, Exchange]], dict[str, str]]] = {21: _keys_of_21, 86: _keys_of_86}


def _read(answer: httpx.Response) -> Any:
    if answer.headers.get("content-type") == "application/json":
        return answer.json() if answer.text else None
    return answer.text


def _unlike(wanted: Any, found: Any, where: str) -> Iterator[str]:
    """Where two values differ, cut ones being compared as far as they go."""
    if isinstance(wanted, str) and not isinstance(found, str):
        text = json.dumps(found, ensure_ascii=False, indent=4)
        yield from [] if text.startswith(wanted) else [f"{where}: {text[:300]}, recorded {wanted}"]
    elif isinstance(wanted, Mapping) and isinstance(found, Mapping):
        yield from _unlike_maps(wanted, found, where)
    elif isinstance(wanted, list) and isinstance(found, list):
        yield from _unlike_lists(wanted, found, where)
    elif wanted != found and not _same_cut(wanted, found):
        yield f"{where}: {found!r}, recorded {wanted!r}"


def _unlike_maps(wanted: Mapping[str, Any], found: Mapping[str, Any], where: str) -> Iterator[str]:
    cut = CUT_LIST.match(str(wanted.get("…", "")))
    missing = wanted.keys() - found.keys() - {"…"}
    more = set() if cut else found.keys() - wanted.keys()
    if missing or more or (cut and len(found) != int(cut[1])):
        yield f"{where}: {len(found)} entries, lacks {sorted(missing)}, has {sorted(more)} more"
    for name in wanted.keys() & found.keys():
        yield from _unlike(wanted[name], found[name], f"{where}.{name}")


def _unlike_lists(wanted: Sequence[Any], found: Sequence[Any], where: str) -> Iterator[str]:
    cut = CUT_LIST.match(wanted[-1]) if wanted and isinstance(wanted[-1], str) else None
    shown = wanted[:-1] if cut else wanted
    if len(found) != (int(cut[1]) if cut else len(wanted)):
        yield f"{where}: {len(found)} entries, recorded {len(wanted)}"
    for at, (one, other) in enumerate(zip(shown, found, strict=False)):
        yield from _unlike(one, other, f"{where}[{at}]")


def _same_cut(wanted: Any, found: Any) -> bool:
    cut = CUT_TEXT.match(wanted) if isinstance(wanted, str) else None
    return bool(cut and len(found) == int(cut[2]) and found.startswith(cut[1]) and found.endswith(cut[3]))
