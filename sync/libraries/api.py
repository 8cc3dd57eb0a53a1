"""The one door to pyzotero: typed, counted, patient within bounds, and every failure told in our words.

pyzotero keeps state per call and sleeps by itself where a server asks for a pause. Here an event hook of its HTTP client sees
each answer first: a refusal becomes `Answered` before pyzotero looks at it, a wish for a pause goes through `wait`.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2
from pyzotero.zotero_errors import PyZoteroError

from sync import __version__
from sync.errors import Outage, Throttled, ZotdropError
from sync.stopping import Wires

T = TypeVar("T")

AGENT = f"zotdrop/{__version__}"  # with the capitalised name of Zotero in it the server would keep a sent dateModified
PAGE = 100  # objects per reading request, Zotero's own limit
ATTEMPTS = 5
PATIENCE = 60.0  # s; the longest pause that is waited for in place
LOCKED = 300.0  # s; for so long Zotero shuts out an address after too many wrong keys
_AGAIN = frozenset({429, 502, 503, 504})
_SILENT = ("httpx", "httpx2", "httpcore", "httpcore2")  # they log addresses of requests


class Answered(Outage):
    """The service refused a request. status: 0 where no answer came.  said: its words.  pause: seconds it asks for."""

    def __init__(
        self, message: str, *, service: str, status: int = 0, said: str = "", again: bool = False, pause: float = 0.0
    ) -> None:
        super().__init__(message, service=service)
        self.status, self.said, self.again, self.pause = status, said, again, pause


@dataclass(frozen=True, slots=True)
class Final:
    """A refusal that asking again cannot change. words: a pattern of what is said.  message: `{said}` for the service's words."""

    status: int
    words: str
    fault: type[ZotdropError]
    message: str


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is called in messages, and which of its refusals are final (the first row that fits).

    away: what to say if it cannot be reached.  eager: whether a connection that fails is tried again.
    """

    name: str
    away: str
    final: Sequence[Final]
    eager: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that the caller judges. words: of a refusal.  data: its JSON, None where it has none."""

    status: int
    words: str = ""
    data: Any = None


class Api:
    """A library behind Zotero's API, web or desktop. To be used from one thread at a time.

    wait: sleeps so many seconds, may raise Interrupted.  now: seconds on any steady clock.  timeout: of a write, in seconds.
    """

    def __init__(
        self,
        zotero: Any,
        service: Service,
        *,
        wait: Callable[[float], None],
        now: Callable[[], float],
        timeout: float,
        secrets: Sequence[str | None],
    ) -> None:
        self._zotero, self._service, self._wait, self._now = zotero, service, wait, now
        self._secrets = [secret for secret in secrets if secret]
        self._wires = Wires()
        self._ready = now()
        self._final: ZotdropError | None = None
        self.requests = 0
        self.lost = 0  # answers that did not come, or told of a fault of the service: the work may have been done
        self.version = 0  # of the library, as the newest answer tells it
        self.schema = 0  # the version of the schema that the service says it knows; 0: it does not say
        self.headers: Mapping[str, str] = {}
        zotero.client.event_hooks = {"request": [self._on_request], "response": [self._on_response]}
        zotero.client.timeout = httpx2.Timeout(timeout)
        for name in _SILENT:
            logging.getLogger(name).setLevel(logging.WARNING)

    def versions(self, since: int, *, trashed: bool) -> dict[str, int]:
        """Key and version of every item after `since`, in the order of creation."""
        wanted = {"since": since, "sort": "dateAdded", "direction": "asc"} | ({"includeTrashed": 1} if trashed else {})
        return self._call(lambda: self._zotero.item_versions(**wanted), dict)

    def items(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """The items with these keys, at most PAGE, trashed ones too; keys that are not there are left out."""
        named = ",".join(keys)
        found = self._call(lambda: self._zotero.items(itemKey=named, includeTrashed=1, limit=PAGE), list)
        return [dict(each) for each in found]

    def deleted(self, since: int) -> list[str]:
        """The keys of items that are gone for good after `since`."""
        found = self._call(lambda: self._zotero.deleted(since=since), dict)
        return [str(key) for key in found.get("items", ())]

    def collections(self) -> list[dict[str, Any]]:
        """The `data` of every collection."""
        found: list[dict[str, Any]] = []
        while True:
            start = len(found)
            page = self._call(lambda: self._zotero.collections(limit=PAGE, start=start), list)  # noqa: B023 (called at once)
            found += [dict(each["data"]) for each in page]
            if not page or len(found) >= int(self.headers.get("Total-Results") or 0):
                return found

    def collection(self, key: str) -> dict[str, Any] | None:
        """The `data` of one collection, trashed or not; None if there is none."""
        try:
            return dict(self._call(lambda: self._zotero.collection(key), dict)["data"])
        except Answered as answer:
            if answer.status != 404:
                raise
            return None

    def create_items(self, objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Write items, each with key and version; the service's report."""
        return self._call(lambda: self._zotero.create_items([dict(each) for each in objects]), dict)

    def create_collections(self, objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Write collections, each with key and version; the service's report."""
        return self._call(lambda: self._zotero.create_collections([dict(each) for each in objects]), dict)

    def rights(self) -> dict[str, Any]:
        """What the API key may do; the key itself is not in the address, so that no log shows it."""
        return self._call(lambda: self._get("/keys/current").json(), dict)

    def group(self, number: str) -> dict[str, Any]:
        """The `data` of a group: its owner, admins and members, and who may edit. `version` stays the library's."""
        version = self.version
        try:
            return dict(self._call(lambda: dict(self._get(f"/groups/{number}").json())["data"], dict))
        finally:
            self.version = version

    def fields_of(self) -> dict[str, frozenset[str]] | None:
        """The fields of each item type that the service knows; None where it has no `/schema`."""
        try:
            told = self._call(lambda: self._get("/schema").json(), dict)
        except Answered as answer:
            if answer.status != 404:
                raise
            return None
        return {
            str(kind["itemType"]): frozenset(str(each["field"]) for each in kind.get("fields", ()))
            for kind in told.get("itemTypes", ())
        }

    def fields(self) -> frozenset[str]:
        """The fields that any item type has there; none where it does not tell."""
        try:
            told = self._call(lambda: self._get("/itemFields").json(), list)
        except Answered as answer:
            if answer.status != 404:
                raise
            return frozenset()
        return frozenset(str(each["field"]) for each in told)

    def deleted_collections(self) -> list[str]:
        """The keys of collections that somebody deleted for good, where the service tells."""
        try:
            found = self._call(lambda: self._zotero.deleted(since=0), dict)
        except Answered as answer:
            if answer.status != 404:
                raise
            return []
        return [str(key) for key in found.get("collections", ())]

    def once(self, ask: Callable[[], Any], kind: type[T]) -> T:
        """Ask a single time, where a person has to answer; raises what a refusal means, patient or not."""
        self._await_turn()
        try:
            return self._once(ask, kind)
        except Answered as answer:
            self._give_up(answer, answer.pause, last=True)
            raise

    def root(self) -> Mapping[str, str]:
        """The headers of the service's root, which the desktop has."""
        return self._call(lambda: self._get("/"), httpx2.Response).headers

    def post_file(self, key: str, form: Mapping[str, object]) -> Said:
        """One step of uploading a file for an item that has none. What is refused of the file is said, what of the key raised."""
        zotero = self._zotero
        path = f"/{zotero.library_type}/{zotero.library_id}/items/{key}/file"
        headers = {**zotero.default_headers(), "If-None-Match": "*"}

        def post() -> httpx2.Response:
            return self._post(f"{zotero.endpoint.rstrip('/')}{path}", data=dict(form), headers=headers)

        return self._call(lambda: self._said(post), Said)

    def post_bytes(self, address: str, parts: Callable[[], Iterator[bytes]], headers: Mapping[str, str]) -> Said:
        """Bytes to an address that the service named. The API key does not go there. parts: gives the bytes anew each time."""
        return self._call(
            lambda: self._said(
                lambda: self._post(address, content=parts(), headers=dict(headers), follow_redirects=False)
            ),
            Said,
        )

    def wait(self, seconds: float) -> None:
        """Wait, or raise Interrupted."""
        self._wait(seconds)

    def away(self, why: str, **more: Any) -> Answered:
        """An outage of this service, to be raised."""
        return Answered(f"{self._service.name}: {why}", service=self._service.name, **more)

    def close(self) -> None:
        """Close the connections."""
        self._zotero.client.close()

    def cut(self) -> None:
        """Break every connection off, at once and from any thread: who waits for an answer gets none."""
        self._wires.cut()

    def _get(self, path: str) -> httpx2.Response:
        client: httpx2.Client = self._zotero.client
        return client.get(f"{self._zotero.endpoint.rstrip('/')}{path}", headers=self._zotero.default_headers())

    def _post(self, address: str, **sent: Any) -> httpx2.Response:
        client: httpx2.Client = self._zotero.client
        return client.post(address, **sent)

    def _said(self, post: Callable[[], httpx2.Response]) -> Said:
        """An answer as it is, unless asking again may help or the service refuses us as a whole."""
        try:
            response = post()
        except Answered as answer:
            if answer.again or not answer.status or self._shut_out(answer):
                raise
            return Said(answer.status, answer.said)
        body = response.json() if response.headers.get("Content-Type", "").startswith("application/json") else None
        return Said(response.status_code, data=body)

    def _shut_out(self, answer: Answered) -> bool:
        """Whether a row that names its words fits: one without takes every refusal of its status."""
        rows = (row for row in self._service.final if row.words and row.status == answer.status)
        return answer.status == 401 or any(re.search(row.words, answer.said) for row in rows)

    def _call(self, ask: Callable[[], Any], kind: type[T]) -> T:
        """Ask, and again where that may help; what a service refuses for good is not asked twice."""
        if self._final:
            raise self._final
        for attempt in range(1, ATTEMPTS + 1):
            self._await_turn()
            try:
                return self._once(ask, kind)
            except Answered as answer:
                self.lost += not 400 <= answer.status < 500
                pause = answer.pause or 2.0 ** (attempt - 1)
                self._give_up(answer, pause, last=attempt == ATTEMPTS)
                self._wait(pause)
        raise AssertionError("the last attempt returns or raises")

    def _await_turn(self) -> None:
        """Obey the Backoff of an earlier answer."""
        pause = self._ready - self._now()
        if pause > PATIENCE:
            raise Throttled(
                f"{self._service.name} asks for {pause:.0f} s of rest", service=self._service.name, seconds=pause
            )
        if pause > 0:
            self._wait(pause)

    def _once(self, ask: Callable[[], Any], kind: type[T]) -> T:
        try:
            answer = ask()
        except Answered:
            raise
        except httpx2.TimeoutException:
            raise self.away("no answer in time; it will be asked again") from None
        except httpx2.ConnectError as error:
            raise self.away(f"{self._service.away} ({error})", again=self._service.eager) from None
        except httpx2.HTTPError as error:
            raise self.away(f"the connection broke ({type(error).__name__})", again=True) from None
        except (ValueError, KeyError, PyZoteroError):
            raise self.away("what came back is no answer of its API", again=True) from None
        if not isinstance(answer, kind):
            raise self.away("what came back is no answer of its API", again=True)
        return answer

    def _give_up(self, answer: Answered, pause: float, *, last: bool) -> None:
        """Raise what the answer means, unless it is worth waiting for."""
        for row in self._service.final:
            if row.status == answer.status and re.search(row.words, answer.said):
                self._final = row.fault(row.message.format(said=answer.said))
                raise self._final from None
        if answer.status == 429 and not answer.pause:
            told = f"{answer}; it names no time, as for an address that came with wrong keys"
            raise Throttled(told, service=self._service.name, seconds=LOCKED) from None
        if answer.pause > PATIENCE or (last and answer.pause):
            raise Throttled(str(answer), service=self._service.name, seconds=pause) from None
        if last or not answer.again:
            raise answer

    def _on_request(self, request: httpx2.Request) -> None:
        self.requests += 1
        request.headers["User-Agent"] = AGENT
        request.extensions = {**request.extensions, "trace": self._wires.trace}

    def _on_response(self, response: httpx2.Response) -> None:
        """Keep what the headers say, take wishes for a pause out of pyzotero's sight, stop refusals before it sees them."""
        rest, pause = (_seconds(response.headers.pop(name, ""), response) for name in ("Backoff", "Retry-After"))
        self._ready = self._now() + rest
        self.headers = response.headers
        version = response.headers.get("Last-Modified-Version", "")
        self.version = int(version) if version.isdecimal() else self.version
        known = response.headers.get("Zotero-Schema-Version", "")
        self.schema = int(known) if known.isdecimal() else self.schema
        if response.has_redirect_location:
            self._stay(response)
        if response.status_code < 400:
            return
        response.read()
        status, said = response.status_code, _words(response, self._secrets)
        raise self.away(f"{status} {said}", status=status, said=said, again=status in _AGAIN, pause=pause or rest)

    def _stay(self, response: httpx2.Response) -> None:
        """Raise where the service sends us on to another host: neither the key nor what is written goes there."""
        goal = response.request.url.join(response.headers["location"])
        if _origin(goal) != _origin(response.request.url):
            raise self.away(
                f"sends us on to {goal.scheme}://{goal.host}, where nothing is sent; is [library] url right?"
            )


def _origin(address: httpx2.URL) -> tuple[str, str, int | None]:
    return address.scheme, address.host, address.port


def _seconds(text: str, response: httpx2.Response) -> float:
    """A pause as a header says it: seconds, or a date (RFC 9110), which is held against the answer's own Date."""
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(response.headers["Date"])).total_seconds())
    except (ValueError, KeyError, TypeError):
        return 0.0


def _words(response: httpx2.Response, secrets: Sequence[str]) -> str:
    """What a refusal says: plain text, which Zotero escapes as if it were HTML; never a secret."""
    text = " ".join(html.unescape(response.text).split())
    for secret in secrets:
        text = text.replace(secret, "***")
    return "(a web page)" if text.startswith("<") else text[:300]
