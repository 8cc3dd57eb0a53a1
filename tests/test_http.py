"""The polite client: identity, pace, retries, and what it makes of a broken world."""

from __future__ import annotations

import io
import itertools
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from email.utils import format_datetime
from itertools import pairwise

import httpx
import pytest

from sync.errors import Barred, Interrupted, Outage, Throttled
from sync.http import CONNECT_SECONDS, Http, Identity
from sync.pace import Rate
from tests.servers.base import Reply as Answer
from tests.servers.base import Request, StandIn
from tests.sources.pace import EPOCH, Pace, answering, http_on

URL = "https://works.example/things"


def ask(http: Http, service: str = "crossref", pool: str = "list", url: str = URL) -> int:
    return http.ask(service, pool, "GET", url).status


def in_turn(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport that gives these answers one after the other, the last one for ever; and the requests it saw."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = answers[min(len(seen), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return answering(handle), seen


def spacing(times: list[float]) -> list[float]:
    return [round(later - earlier, 6) for earlier, later in pairwise(times)]


def sent_at(pace: Pace, headers: Mapping[str, str] | None = None) -> tuple[httpx.MockTransport, list[float]]:
    times: list[float] = []

    def handle(_: httpx.Request) -> httpx.Response:
        times.append(pace.now())
        return httpx.Response(200, headers=headers)

    return answering(handle), times


# ---- identity and answers -----------------------------------------------------------------------------------------


def test_every_request_says_who_asks() -> None:
    transport, seen = in_turn(httpx.Response(200))
    ask(http_on(Pace(), transport))
    assert (
        seen[0].headers["user-agent"]
        == "zotdrop/1.2.3 (https://github.com/zotdrop/zotdrop; mailto:librarian@example.org)"
    )


def test_without_a_contact_no_address_is_made_up() -> None:
    assert Identity("", "1.0").user_agent == "zotdrop/1.0 (https://github.com/zotdrop/zotdrop)"


def test_an_answer_has_status_small_header_names_and_its_body() -> None:
    transport, _ = in_turn(httpx.Response(404, headers={"X-Api-Pool": "p"}, content=b"Resource not found."))
    reply = http_on(Pace(), transport).ask("crossref", "list", "GET", URL)
    assert (reply.status, reply.headers["x-api-pool"], reply.body) == (404, "p", b"Resource not found.")


def test_parameters_and_forms_arrive_as_given() -> None:
    transport, seen = in_turn(httpx.Response(200))
    http = http_on(Pace(), transport)
    http.ask("pubmed", "key", "POST", URL, params={"a": "1,2"}, data={"term": "x[doi] OR y&z"})
    assert dict(seen[0].url.params) == {"a": "1,2"}
    assert dict(httpx.QueryParams(seen[0].content.decode())) == {"term": "x[doi] OR y&z"}


def test_a_get_follows_a_redirect_and_a_form_does_not() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200) if request.url.path == "/new" else httpx.Response(301, headers={"Location": "/new"})

    http = http_on(Pace(), answering(handle))
    assert ask(http) == 200
    assert http.ask("crossref", "list", "POST", URL, data={"api_key": "s3cret"}).status == 301
    assert http.requests == {"crossref": 3}


# ---- pace ---------------------------------------------------------------------------------------------------------


def test_requests_of_a_pool_are_spaced_a_little_wider_than_published() -> None:
    pace = Pace()
    transport, times = sent_at(pace)
    http = http_on(pace, transport)
    http.declare("crossref", {"list": Rate(3, share=0.96)})
    for _ in range(6):
        ask(http)
    assert spacing(times) == [round(1 / 2.88, 6)] * 5


def test_the_first_second_holds_no_burst() -> None:
    pace = Pace()
    transport, times = sent_at(pace)
    http = http_on(pace, transport, limits={("crossref", "list"): Rate(5)})
    for _ in range(12):
        ask(http)
    assert max(sum(begin <= time < begin + 1 for time in times) for begin in times) <= 5


def test_a_slow_way_makes_no_burst_where_the_requests_arrive() -> None:
    """The first one takes long to arrive (a connection is opened), the others do not."""
    pace = Pace()
    arrived: list[float] = []

    def handle(_: httpx.Request) -> httpx.Response:
        if not arrived:
            pace.wait(0.9)
        arrived.append(pace.now())
        return httpx.Response(200)

    http = http_on(pace, answering(handle), limits={("crossref", "list"): Rate(3)})
    for _ in range(9):
        ask(http)
    assert max(sum(begin <= time < begin + 1 for time in arrived) for begin in arrived) <= 3


def leaving(pace: Pace, times: list[float], statuses: Iterator[int]) -> httpx.MockTransport:
    """Notes when requests leave, says so as httpcore does, and answers after 0.3 s."""

    def handle(request: httpx.Request) -> httpx.Response:
        times.append(pace.now())
        request.extensions["trace"]("http11.send_request_body.complete", {})
        pace.wait(0.3)
        return httpx.Response(next(statuses))

    return answering(handle)


def test_answers_that_take_their_time_do_not_slow_the_pace() -> None:
    pace, times = Pace(), list[float]()
    http = http_on(pace, leaving(pace, times, itertools.repeat(200)), limits={("crossref", "list"): Rate(3, 3)})
    for _ in range(7):
        ask(http)
    assert spacing(times) == [round(1 / 2.88, 6)] * 6


@pytest.mark.parametrize(("refusals", "late"), [(0, 1 / 24), (1, 0.08), (2, 0.16), (3, 0.25), (4, 0.25)])
def test_after_a_refusal_a_request_may_have_taken_longer(refusals: int, late: float) -> None:
    pace, times = Pace(), list[float]()
    answers = itertools.chain([429] * refusals, itertools.repeat(200))
    http = http_on(pace, leaving(pace, times, answers), limits={("crossref", "list"): Rate(3, 3)})
    for _ in range(9):
        ask(http)
    seconds = [round(later - time, 6) for time, later in zip(times[refusals:], times[refusals + 3 :], strict=False)]
    assert seconds[1:] == [round(1 + late, 6)] * 5


def test_pools_and_services_have_budgets_of_their_own() -> None:
    pace = Pace()
    transport, times = sent_at(pace)
    http = http_on(pace, transport)
    for service, pool in (("crossref", "list"), ("crossref", "single"), ("pubmed", "list")):
        ask(http, service, pool)
    assert spacing(times) == [0.0, 0.0]


def test_stated_limits_are_taken_over_faster_and_slower() -> None:
    pace = Pace()
    told = {"X-Rate-Limit-Limit": "50", "X-Rate-Limit-Interval": "5s"}
    transport, times = sent_at(pace, told)
    http = http_on(pace, transport, limits={("crossref", "list"): Rate(1)})
    for _ in range(3):
        ask(http)
    told |= {"X-Rate-Limit-Limit": "1", "X-Rate-Limit-Interval": "2s"}
    for _ in range(3):
        ask(http)
    assert spacing(times) == [round(step / 0.96, 6) for step in (0.1, 0.1, 0.1, 2, 2)]


def test_limits_of_another_pool_may_slow_but_not_hasten() -> None:
    pace = Pace()
    told = {"X-Rate-Limit-Limit": "10", "X-Rate-Limit-Interval": "1s", "X-Api-Pool": "polite"}
    transport, times = sent_at(pace, told)
    http = http_on(pace, transport, limits={("crossref", "list"): Rate(2)})
    ask(http)
    ask(http)
    told["X-Rate-Limit-Limit"] = "1"
    ask(http)
    ask(http)
    assert spacing(times) == [round(step / 0.96, 6) for step in (0.5, 0.5, 1)]


@pytest.mark.parametrize("nonsense", ["", "0", "-3", "nan", "inf", "many"])
def test_nonsense_in_the_headers_changes_nothing(nonsense: str) -> None:
    pace = Pace()
    told = {"X-Rate-Limit-Limit": nonsense, "X-Rate-Limit-Interval": nonsense, "X-Concurrency-Limit": nonsense}
    transport, times = sent_at(pace, told)
    http = http_on(pace, transport, limits={("crossref", "list"): Rate(2, share=1)})
    for _ in range(3):
        ask(http)
    assert spacing(times) == [0.5, 0.5]


def crowd(http: Http, threads: int) -> None:
    helpers = [threading.Thread(target=ask, args=(http,)) for _ in range(threads)]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join()


def busiest(http_of: Callable[[httpx.MockTransport], Http], stated: str, threads: int) -> int:
    """The most requests at once in a pool whose first answer states a concurrency."""
    lock, state = threading.Lock(), {"busy": 0, "most": 0}
    full = threading.Event()

    def handle(_: httpx.Request) -> httpx.Response:
        with lock:
            state["busy"] += 1
            state["most"] = max(state["most"], state["busy"])
            if state["busy"] >= int(stated):
                full.set()
        full.wait(0.05)
        with lock:
            state["busy"] -= 1
        return httpx.Response(200, headers={"x-concurrency-limit": stated})

    http = http_of(answering(handle))
    ask(http)
    state["most"] = 0
    crowd(http, threads)
    return state["most"]


@pytest.mark.parametrize("stated", ["1", "2"])
def test_never_more_at_a_time_than_stated(stated: str) -> None:
    pace = Pace()
    limits = {("crossref", "list"): Rate(1000, 8)}
    assert busiest(lambda transport: http_on(pace, transport, limits=limits), stated, 6) == int(stated)


def test_until_the_first_answer_only_one_is_on_its_way() -> None:
    pace, lock, state, go = Pace(), threading.Lock(), {"busy": 0, "most": 0, "done": 0}, threading.Event()

    def handle(_: httpx.Request) -> httpx.Response:
        with lock:
            state["busy"] += 1
            if not state["done"]:
                state["most"] = max(state["most"], state["busy"])
        go.wait(0.1)
        with lock:
            state["busy"] -= 1
            state["done"] += 1
        return httpx.Response(200)

    crowd(http_on(pace, answering(handle), limits={("crossref", "list"): Rate(1000, 8)}), 4)
    assert state == {"busy": 0, "most": 1, "done": 4}


def test_threads_share_one_pace() -> None:
    pace = Pace()
    transport, times = sent_at(pace)
    crowd(http_on(pace, transport, limits={("crossref", "list"): Rate(2, 4, share=1)}), 6)
    assert pace.seconds - 1000.0 >= 2.5
    assert len(times) == 6


def test_a_stop_is_heard_while_waiting_for_the_pace() -> None:
    transport, seen = in_turn(httpx.Response(200))
    pace = Pace()

    def wait(seconds: float) -> None:
        if seconds > 0.2:
            raise Interrupted("stop")

    http = http_on(pace, transport, wait=wait)
    ask(http)
    with pytest.raises(Interrupted):
        ask(http)
    assert len(seen) == 1


# ---- another try --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_fault_that_passes_is_tried_again(status: int) -> None:
    pace = Pace()
    transport, seen = in_turn(httpx.Response(status), httpx.Response(200))
    http = http_on(pace, transport)
    assert ask(http) == 200
    assert (len(seen), http.requests) == (2, {"crossref": 2})


def test_the_waits_between_tries_grow() -> None:
    pace = Pace()
    transport, seen = in_turn(httpx.Response(502))
    with pytest.raises(Outage, match="failed on its side"):
        ask(http_on(pace, transport, limits={("crossref", "list"): Rate(1000)}))
    assert [wait for wait in pace.waits if wait > 0.1] == [1.0, 2.0, 4.0]
    assert len(seen) == 4


def test_jitter_spreads_the_waits() -> None:
    pace = Pace()
    transport, _ = in_turn(httpx.Response(502), httpx.Response(200))
    ask(http_on(pace, transport, jitter=lambda: 0.0, limits={("crossref", "list"): Rate(1000)}))
    assert pace.waits[0] == 0.5


def test_retry_after_in_seconds_is_obeyed() -> None:
    pace = Pace()
    transport, _ = in_turn(httpx.Response(429, headers={"Retry-After": "17"}), httpx.Response(200))
    ask(http_on(pace, transport))
    assert pace.seconds == 1017.0


@pytest.mark.parametrize("with_date", [True, False])
def test_retry_after_as_a_date_is_obeyed(*, with_date: bool) -> None:
    clock = {"Date": format_datetime(EPOCH.replace(minute=5), usegmt=True)} if with_date else {}
    until = format_datetime(EPOCH.replace(minute=5 if with_date else 0, second=30), usegmt=True)
    pace = Pace()
    transport, _ = in_turn(httpx.Response(503, headers={"Retry-After": until, **clock}), httpx.Response(200))
    ask(http_on(pace, transport))
    assert pace.seconds == 1030.0


def test_a_pause_of_over_a_minute_is_not_waited_for() -> None:
    pace = Pace()
    transport, seen = in_turn(httpx.Response(429, headers={"Retry-After": "3600"}), httpx.Response(200))
    http = http_on(pace, transport)
    with pytest.raises(Throttled) as caught:
        ask(http)
    assert (caught.value.seconds, caught.value.service) == (3600.0, "crossref")
    with pytest.raises(Throttled) as again:
        ask(http)
    assert (len(seen), again.value.seconds) == (1, 3600.0)
    pace.wait(3601)
    assert ask(http) == 200


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_asked_of_one_request_holds_back_the_others_of_its_pool(status: int) -> None:
    pace = Pace()
    times: list[float] = []

    def handle(_: httpx.Request) -> httpx.Response:
        times.append(pace.now())
        return httpx.Response(status, headers={"Retry-After": "30"}) if len(times) == 1 else httpx.Response(200)

    nested: list[int] = []

    def wait(seconds: float) -> None:
        if seconds == 30.0 and not nested:
            nested.append(0)
            ask(http)  # another one asks while the first is waiting
        pace.wait(seconds)

    http = http_on(pace, answering(handle), wait=wait, limits={("crossref", "list"): Rate(1000)})
    ask(http)
    assert times[1] == 1030.0


def test_a_refusal_inside_a_good_answer_is_tried_again() -> None:
    pace = Pace()
    transport, seen = in_turn(
        httpx.Response(200, content=b'{"error":"slow down"}'), httpx.Response(200, content=b"data")
    )
    http = http_on(pace, transport)
    reply = http.ask("pubmed", "key", "POST", URL, busy=lambda body: "said slow down" if b"error" in body else "")
    assert (reply.body, len(seen)) == (b"data", 2)


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("cut"),
        httpx.DecodingError("gzip"),
    ],
)
def test_a_broken_answer_is_tried_again_and_then_an_outage(fault: Exception) -> None:
    transport, seen = in_turn(fault, httpx.Response(200))
    assert ask(http_on(Pace(), transport)) == 200
    transport, seen = in_turn(fault)
    http = http_on(Pace(), transport)
    with pytest.raises(Outage) as caught:
        ask(http)
    assert type(caught.value) is Outage
    assert 2 <= len(seen) == http.requests["crossref"] <= 4


@pytest.mark.parametrize("status", [200, 301, 304, 400, 401, 404, 414])
def test_answers_that_mean_something_are_not_tried_again(status: int) -> None:
    transport, seen = in_turn(httpx.Response(status))
    assert ask(http_on(Pace(), transport)) == status
    assert len(seen) == 1


def test_a_stop_between_tries_is_not_swallowed() -> None:
    def wait(_: float) -> None:
        raise Interrupted("stop")

    transport, seen = in_turn(httpx.Response(500))
    with pytest.raises(Interrupted):
        ask(http_on(Pace(), transport, wait=wait))
    assert len(seen) == 1


# ---- away ---------------------------------------------------------------------------------------------------------


def test_a_block_is_not_asked_against() -> None:
    transport, seen = in_turn(httpx.Response(403), httpx.Response(200))
    http = http_on(Pace(), transport)
    for _ in range(2):
        with pytest.raises(Barred, match="contact"):
            ask(http)
    assert len(seen) == 1


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
def test_without_a_connection_there_is_one_quick_second_try_and_then_no_more(fault: Exception) -> None:
    pace = Pace()
    transport, seen = in_turn(fault)
    http = http_on(pace, transport)
    for _ in range(5):
        with pytest.raises(Outage, match="could not be reached"):
            ask(http)
    assert (len(seen), http.requests.get("crossref", 0)) == (2, 0)
    assert pace.seconds - 1000.0 < 3
    assert 3 <= CONNECT_SECONDS <= 5


def test_a_connection_lost_once_is_no_outage() -> None:
    transport, _ = in_turn(httpx.ConnectError("refused"), httpx.Response(200))
    assert ask(http_on(Pace(), transport)) == 200


def test_another_host_of_the_service_is_still_asked() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "dead.example":
            raise httpx.ConnectError("no such host")
        return httpx.Response(200)

    http = http_on(Pace(), answering(handle))
    with pytest.raises(Outage):
        ask(http, url="https://dead.example/")
    assert ask(http) == 200


def test_a_certificate_that_does_not_hold_is_named() -> None:
    fault = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")
    fault.__cause__ = ssl.SSLCertVerificationError("self-signed")
    transport, _ = in_turn(fault)
    with pytest.raises(Outage, match="no valid certificate"):
        ask(http_on(Pace(), transport))


def test_a_senseless_address_is_an_outage() -> None:
    with pytest.raises(Outage, match="address"):
        ask(http_on(Pace()), url="ftp://x.example/")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_refused_connection_ends_within_seconds_for_real() -> None:
    pace = Pace()
    with pytest.raises(Outage, match="could not be reached"):
        ask(http_on(pace), url=f"http://127.0.0.1:{free_port()}/")
    assert sum(pace.waits) < 2


# ---- over real sockets --------------------------------------------------------------------------------------------


class Plain(StandIn):
    """Answers everything."""

    def handle(self, request: Request) -> Answer:
        return Answer.json({"path": request.path, "padding": "x" * 5000})


@pytest.fixture
def server() -> Iterator[Plain]:
    with Plain() as server:
        yield server


def test_a_body_cut_short_is_tried_again(server: Plain) -> None:
    server.truncate(1)
    http = http_on(Pace())
    assert len(http.ask("crossref", "list", "GET", server.url).body) > 5000
    assert http.requests == {"crossref": 2}
    http.close()


def test_bodies_that_stay_cut_short_are_an_outage(server: Plain) -> None:
    server.truncate(None)
    http = http_on(Pace())
    with pytest.raises(Outage, match="broke off"):
        ask(http, url=server.url)
    http.close()


def test_a_dropped_connection_is_tried_again(server: Plain) -> None:
    server.drop(2)
    http = http_on(Pace())
    assert ask(http, url=server.url) == 200
    http.close()


# ---- secrets ------------------------------------------------------------------------------------------------------


def test_no_secret_is_logged_or_told(server: Plain) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    server.fail(None, status=500)
    http = http_on(Pace())
    try:
        with pytest.raises(Outage) as caught:
            http.ask("pubmed", "key", "POST", server.url, params={"q": "s3cret"}, data={"api_key": "s3cret"})
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        http.close()
    chain = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "s3cret" not in heard.getvalue() + chain


def test_a_pause_that_comes_while_one_waits_holds_it_too() -> None:
    pace = Pace()
    transport, times = sent_at(pace)
    asked_for: list[float] = []

    def wait(seconds: float) -> None:
        if seconds and not asked_for:
            asked_for.append(seconds)
            http._budget("crossref", "list").pause(20.0)
        pace.wait(seconds)

    http = http_on(pace, transport, wait=wait, limits={("crossref", "list"): Rate(1, share=1)})
    ask(http)
    ask(http)
    assert spacing(times) == [20.0]


def test_redirects_in_a_circle_are_an_outage() -> None:
    transport = answering(lambda _: httpx.Response(302, headers={"Location": URL}))
    with pytest.raises(Outage, match="circles"):
        ask(http_on(Pace(), transport))
