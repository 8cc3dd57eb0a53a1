"""What every stand-in shares, and our works, against their promises."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.servers.base import LOST, Budget, Reply, Request, StandIn
from tests.servers.works import MOST, issn, make_works, to_ris
from tests.servers.works_special import SPECIAL

WORKS = (*SPECIAL.values(), *make_works(60, seed=1))


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as speaking:
        yield speaking


class Echo(StandIn):
    """Counts what it did, and answers with what was asked."""

    done = 0

    def handle(self, request: Request) -> Reply:
        self.done += 1
        return Reply.json({"params": request.params, "form": request.form, "body": request.body.decode()})


def test_the_log_holds_each_request_with_its_answer(client: httpx.Client) -> None:
    with Echo(clock=lambda: 5.0) as server:
        client.post(f"{server.url}/a%2Fb?x=1&x=", data={"y": "z"}, headers={"X-Test": "v"})
        server.fail(status=503)
        client.get(server.url)
        first, second = server.log
    assert (first.method, first.path, first.query, first.status, first.at) == ("POST", "/a%2Fb", "x=1&x=", 200, 5.0)
    assert (first.params, first.form, first.headers["x-test"]) == ((("x", "1"), ("x", "")), (("y", "z"),), "v")
    assert second.status == 503


def test_one_connection_carries_many_requests_without_stalls(client: httpx.Client) -> None:
    with Echo() as server:
        seen = {id(client.get(server.url).extensions["network_stream"]) for _ in range(50)}
        elapsed = sum((client.get(server.url).elapsed.total_seconds() for _ in range(50)), 0.0)
    assert len(seen) == 1
    assert elapsed < 50 * 0.04  # a stall by delayed acknowledgement costs 40 ms each


def test_faults_come_in_their_order_and_times_then_all_is_well(client: httpx.Client) -> None:
    with Echo() as server:
        server.fail(times=2, status=503, headers={"Retry-After": "3"}, body="later", spare=1)
        server.html(when=lambda request: request.path == "/page")
        answers = [client.get(f"{server.url}/{n}") for n in range(4)]
        page = client.get(f"{server.url}/page")
    assert [(a.status_code, a.headers.get("retry-after")) for a in answers] == [
        (200, None),
        (503, "3"),
        (503, "3"),
        (200, None),
    ]
    assert (page.status_code, page.headers["content-type"], page.text[:15]) == (200, "text/html", "<!DOCTYPE html>")


def test_a_dropped_request_is_not_worked_on_and_a_lost_answer_is(client: httpx.Client) -> None:
    with Echo() as server:
        server.drop()
        server.lose()
        for done in (0, 1):
            with pytest.raises(httpx.RemoteProtocolError):
                client.get(server.url)
            assert (server.done, server.log[-1].status) == (done, LOST)
        assert client.get(server.url).status_code == 200


def test_a_truncated_body_is_seen_as_broken(client: httpx.Client) -> None:
    with Echo() as server:
        server.truncate()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            client.get(server.url)
        assert server.done == 1


def test_a_hanging_request_waits_for_its_event_or_for_the_end() -> None:
    answers: list[int] = []
    gate = threading.Event()
    with Echo() as server:
        server.hang(gate)
        asking = threading.Thread(target=lambda: answers.append(httpx.get(server.url, timeout=30).status_code))
        asking.start()
        assert server.await_pending(1)[0].path == "/"
        assert server.log == []
        gate.set()
        asking.join()
    assert answers == [200]


def test_the_end_of_the_block_releases_what_hangs() -> None:
    forgotten = threading.Event()
    with Echo() as server:
        server.hang(forgotten)
        asking = threading.Thread(target=_ask_quietly, args=(server.url,))
        asking.start()
        server.await_pending(1)
    asking.join()
    assert forgotten.is_set()


def _ask_quietly(url: str) -> None:
    try:
        httpx.get(url, timeout=30)
    except httpx.HTTPError:
        return


def test_a_delay_calls_the_given_wait_and_sleeps_not_itself(client: httpx.Client) -> None:
    now = [0.0]
    with Echo(clock=lambda: now[0]) as server:
        server.delay(lambda: now.__setitem__(0, 60.0))
        client.get(server.url)
        client.get(server.url)
    assert [request.at for request in server.log] == [0.0, 60.0]


def test_heal_forgets_every_fault(client: httpx.Client) -> None:
    with Echo() as server:
        fault = server.fail(times=None)
        assert [client.get(server.url).status_code for _ in range(3)] == [503] * 3
        server.heal()
        assert client.get(server.url).status_code == 200
    assert fault.hits == 3


def test_a_budget_slides_and_counts_no_refusals() -> None:
    now = [0.0]
    budget = Budget(2, 1.0, clock=lambda: now[0])
    taken = []
    for now[0] in (0.0, 0.6, 0.9, 1.0, 1.5, 1.6):
        taken.append(budget.enter())
    assert taken == [True, True, False, True, False, True]


# --- our works


def test_works_are_the_same_for_a_seed_and_shorter_lists_begin_longer_ones() -> None:
    assert make_works(5, seed=3) == make_works(50, seed=3)[:5]
    assert {work.title for work in make_works(5, seed=3)}.isdisjoint(work.title for work in make_works(5, seed=4))


def test_seeds_share_no_identifier_and_no_title_repeats() -> None:
    works = (*make_works(20_000, seed=1), *make_works(500, seed=2))
    assert len({work.doi.lower() for work in works}) == len({work.pmid for work in works}) == len(works)
    assert len({work.title for work in works[:20_000]}) == 20_000
    with pytest.raises(ValueError, match="at most"):
        make_works(MOST + 1)


def test_issns_carry_their_check_digit() -> None:
    assert (issn(378595), issn(2434561), issn(317847)) == ("0378-5955", "2434-561X", "0317-8471")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_ris_has_one_record_per_work_and_one_kind_of_line_end(newline: str) -> None:
    text = to_ris(WORKS, newline)
    lines = text.split(newline)
    assert sum(line.startswith("TY  - ") for line in lines) == lines.count("ER  - ") == len(WORKS)
    assert not any("\r" in line or "\n" in line for line in lines)
    assert f"DO  - {SPECIAL['jmir'].doi}" in lines
    assert not any(line.startswith("DO") for line in to_ris(WORKS, newline, without={"DO", "UR"}).split(newline))
