"""The stand-in for Crossref against recorded facts."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.crossref import CrossrefServer
from tests.servers.crossref_json import work_json
from tests.servers.works import make_works
from tests.servers.works_special import SPECIAL

RECORDED = Path(__file__).parents[3] / "shared" / "conformance" / "crossref" / "works.jsonl.gz"
WORKS = (*SPECIAL.values(), *make_works(60, seed=1))
POLITE = {"User-Agent": "zotdrop-test/1 (mailto:librarian@example.org)"}


@pytest.fixture(scope="module")
def server() -> Iterator[CrossrefServer]:
    with CrossrefServer(WORKS) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as speaking:
        yield speaking


def listed(server: CrossrefServer, client: httpx.Client, **params: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (
        client.get(f"{server.url}/works", params=params).raise_for_status().json()["message"]["items"]
    )
    return items


def failure(answer: httpx.Response) -> str:
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["message-type"]) == ("failed", "validation-failure")
    assert set(body["message"][0]) == {"type", "value", "message"}
    return str(body["message"][0]["type"])


def single(server: CrossrefServer, client: httpx.Client, encoded: str) -> httpx.Response:
    return client.get(f"{server.url}/works/{encoded}")


# --- lists


def test_repeated_doi_filters_are_alternatives(server: CrossrefServer, client: httpx.Client) -> None:
    wanted = [work.doi for work in WORKS[-30:]]
    items = listed(server, client, filter=",".join(f"doi:{doi}" for doi in wanted), rows="50")
    assert {item["DOI"] for item in items} == set(wanted)


def test_a_list_keeps_its_own_order_whatever_the_order_of_asking(server: CrossrefServer, client: httpx.Client) -> None:
    wanted = [work.doi for work in WORKS[-10:]]
    asked = [listed(server, client, filter=",".join(f"doi:{doi}" for doi in dois)) for dois in (wanted, wanted[::-1])]
    assert asked[0] == asked[1]


def test_a_list_without_rows_gives_twenty_of_many(server: CrossrefServer, client: httpx.Client) -> None:
    answer = client.get(f"{server.url}/works", params={"filter": ",".join(f"doi:{w.doi}" for w in WORKS[-30:])}).json()[
        "message"
    ]
    assert (len(answer["items"]), answer["total-results"], answer["items-per-page"]) == (20, 30, 20)


def test_dois_are_found_in_any_case_and_answered_as_registered(server: CrossrefServer, client: httpx.Client) -> None:
    capital = next(work.doi for work in WORKS if "/ZD." in work.doi)
    assert [item["DOI"] for item in listed(server, client, filter=f"doi:{capital.lower()}")] == [capital]


def test_unknown_dois_are_silently_absent(server: CrossrefServer, client: httpx.Client) -> None:
    items = listed(server, client, filter=f"doi:10.5555/nowhere,doi:{WORKS[-1].doi}")
    assert [item["DOI"] for item in items] == [WORKS[-1].doi]


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({"filter": "doi:10.5555/a,10.5555/b"}, "pair-list-form-invalid"),
        ({"filter": "doi:10.5555/special,with,commas"}, "pair-list-form-invalid"),
        ({"filter": "doi:10.5555/a,doi:10.55"}, "doi-not-valid"),
        ({"filter": "doi:info"}, "doi-not-valid"),
        ({"filter": "pmid:1"}, "filter-not-available"),
        ({"rows": "1001"}, "integer-not-valid"),
        ({"offset": "10001"}, "integer-not-valid"),
        ({"rows": "-1"}, "integer-not-valid"),
        ({"email": "a@b.example"}, "unknown-parameter"),
        ({"query.title": "Owls"}, "field-query-not-available"),
        ({"select": "DOI,subtype"}, "select-not-available"),
        ({"select": "DOI,language"}, "select-not-available"),
    ],
)
def test_the_validator_refuses(server: CrossrefServer, client: httpx.Client, params: dict[str, str], kind: str) -> None:
    assert failure(client.get(f"{server.url}/works", params=params)) == kind


def test_select_keeps_only_what_was_chosen(server: CrossrefServer, client: httpx.Client) -> None:
    (item,) = listed(server, client, filter=f"doi:{WORKS[-1].doi}", select="DOI,title")
    assert set(item) == {"DOI", "title"}


def test_pages_follow_each_other_without_overlap(server: CrossrefServer, client: httpx.Client) -> None:
    pages = [listed(server, client, rows="30", offset=str(start)) for start in range(0, len(WORKS), 30)]
    dois = [item["DOI"] for page in pages for item in page]
    assert sorted(dois) == sorted(work.doi for work in WORKS)


def test_a_search_puts_the_work_itself_first_with_falling_scores(server: CrossrefServer, client: httpx.Client) -> None:
    for work in WORKS[-10:]:
        items = listed(
            server, client, **{"query.bibliographic": f"{work.plain_title} {work.authors[0].last} {work.date[0]}"}
        )
        assert items[0]["DOI"] == work.doi
        scores = [item["score"] for item in items]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > scores[1] > 0


def test_a_url_above_4092_bytes_is_refused_and_one_below_is_not(server: CrossrefServer, client: httpx.Client) -> None:
    base = f"{server.url}/works?filter=doi:10.5555/"
    room = 4092 - len("/works?filter=doi:10.5555/")
    assert client.get(base + "a" * room).status_code == 200
    assert client.get(base + "a" * (room + 1)).status_code == 414


# --- single works and agencies


def test_an_unknown_doi_is_a_404_in_plain_text(server: CrossrefServer, client: httpx.Client) -> None:
    answer = single(server, client, "10.5555/nowhere")
    assert (answer.status_code, answer.text) == (404, "Resource not found.")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("encoded", ["10.5555/special.group", "10.5555%2Fspecial.group", "10.5555%2FSPECIAL.GROUP"])
def test_a_slash_may_be_encoded_once(server: CrossrefServer, client: httpx.Client, encoded: str) -> None:
    assert single(server, client, encoded).json()["message"]["DOI"] == "10.5555/special.group"


def test_a_slash_encoded_twice_is_not_found(server: CrossrefServer, client: httpx.Client) -> None:
    assert single(server, client, "10.5555%252Fspecial.group").status_code == 404


def test_a_sici_encoded_twice_is_found_alone_but_not_by_the_filter(
    server: CrossrefServer, client: httpx.Client
) -> None:
    once = SPECIAL["sici"].doi.replace("<", "%3C").replace(">", "%3E")
    assert (
        single(server, client, once.replace("%", "%25").replace(";", "%3B")).json()["message"]["DOI"]
        == SPECIAL["sici"].doi
    )
    assert listed(server, client, filter=f"doi:{once}") == []
    assert len(listed(server, client, filter=f"doi:{SPECIAL['sici'].doi}")) == 1


@pytest.mark.parametrize("name", ["select", "rows", "filter"])
def test_a_single_work_takes_no_parameters_of_lists(server: CrossrefServer, client: httpx.Client, name: str) -> None:
    assert failure(client.get(f"{server.url}/works/{WORKS[-1].doi}", params={name: "1"})) == "parameter-not-allowed"


def test_a_superseded_doi_finds_its_successor_or_nothing(client: httpx.Client) -> None:
    for aliases, status in ((True, 200), (False, 404)):
        with CrossrefServer(SPECIAL.values(), aliases=aliases) as server:
            answer = single(server, client, "10.5555/special.preprint")
            assert answer.status_code == status
            if aliases:
                assert answer.json()["message"]["DOI"] == "10.5555/special.preprint.v2"


def test_agencies_are_told_for_dois_that_crossref_does_not_keep(client: httpx.Client) -> None:
    with CrossrefServer(WORKS, agencies={"10.5072": "datacite"}) as server:
        for doi, agency in ((WORKS[-1].doi, "crossref"), ("10.5072/dataset", "datacite")):
            body = client.get(f"{server.url}/works/{doi}/agency").json()
            assert (body["message-type"], body["message"]["agency"]["id"]) == ("work-agency", agency)
        assert client.get(f"{server.url}/works/10.9999/x/agency").status_code == 404
        assert client.get(f"{server.url}/works/10.5072/dataset").status_code == 404


# --- pools and rates


@pytest.mark.parametrize(
    ("path", "headers", "pool", "limit", "concurrency"),
    [
        ("/works", {}, "public-array", "1", "1"),
        ("/works?mailto=a@b.example", {}, "polite-array", "3", "3"),
        ("/works", POLITE, "polite-array", "3", "3"),
        (f"/works/{WORKS[-1].doi}", {}, "public-single", "5", "1"),
        (f"/works/{WORKS[-1].doi}", POLITE, "polite-single", "10", "3"),
        ("/works/10.5555/nowhere", POLITE, "polite-single", "10", "3"),
        ("/works", {"Crossref-Plus-API-Token": "Bearer x"}, "plus", "150", None),
    ],
)
def test_headers_name_the_pool_and_its_budget(
    server: CrossrefServer,
    client: httpx.Client,
    path: str,
    headers: dict[str, str],
    pool: str,
    limit: str,
    concurrency: str | None,
) -> None:
    got = client.get(server.url + path, headers=headers).headers
    seen = (got["x-api-pool"], got["x-rate-limit-limit"], got["x-rate-limit-interval"], got.get("x-concurrency-limit"))
    assert seen == (pool, limit, "1s", concurrency)


def test_above_its_rate_a_pool_answers_429_bare_until_a_second_has_passed(client: httpx.Client) -> None:
    now = [100.0]
    with CrossrefServer(WORKS, rate=True, clock=lambda: now[0]) as server:
        ask = f"{server.url}/works?mailto=a@b.example"
        assert [client.get(ask).status_code for _ in range(4)] == [200, 200, 200, 429]
        bare = client.get(ask)
        assert (bare.content, bare.headers.get("x-api-pool"), bare.headers.get("retry-after")) == (b"", None, None)
        assert single(server, client, WORKS[-1].doi).status_code == 200  # another pool
        now[0] += 0.999
        assert client.get(ask).status_code == 429
        now[0] += 0.001
        assert client.get(ask).status_code == 200


def test_above_its_concurrency_a_pool_answers_429(client: httpx.Client) -> None:
    now = [0.0]
    gate = threading.Event()
    with CrossrefServer(WORKS, rate=True, retry_after="7", clock=lambda: now[0]) as server:
        server.hang(gate)
        first = threading.Thread(target=httpx.get, args=(f"{server.url}/works/{WORKS[-1].doi}",))
        first.start()
        server.await_pending(1)
        refused = single(server, client, WORKS[-1].doi)
        gate.set()
        first.join()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
        assert single(server, client, WORKS[-1].doi).status_code == 200


def test_rates_are_not_enforced_unless_asked(server: CrossrefServer, client: httpx.Client) -> None:
    assert {client.get(f"{server.url}/works?rows=0").status_code for _ in range(20)} == {200}


def test_who_names_no_contact_can_be_barred(client: httpx.Client) -> None:
    with CrossrefServer(WORKS, contact_needed=True) as server:
        assert client.get(f"{server.url}/works").status_code == 403
        assert client.get(f"{server.url}/works", headers=POLITE).status_code == 200


def test_a_defect_of_the_stand_in_fails_its_block(client: httpx.Client) -> None:
    def unplayed() -> None:
        with CrossrefServer(WORKS) as server:
            assert client.get(f"{server.url}/works?cursor=*").status_code == 500

    with pytest.raises(AssertionError, match="does not play cursor"):
        unplayed()


def test_services_tell_the_retraction_twice_and_the_group_as_one_name() -> None:
    updates = work_json(SPECIAL["retracted"])["updated-by"]
    assert [(u["type"], u["source"]) for u in updates] == [
        ("retraction", "publisher"),
        ("retraction", "retraction-watch"),
    ]
    assert work_json(SPECIAL["group"])["author"][1]["name"] == "Harbour Air & Asthma Group"


def test_a_work_is_told_with_all_its_facts() -> None:
    work = next(w for w in WORKS[-60:] if w.pages and w.online and len(w.date) == 3 and "crossref" in w.abstract_in)
    told = work_json(work)
    assert (told["title"], told["container-title"], told["short-container-title"]) == (
        [work.title],
        [work.journal],
        [work.abbreviation],
    )
    assert (told["volume"], told["issue"], told["page"], told["ISSN"]) == (
        work.volume,
        work.issue,
        work.pages,
        [work.issn],
    )
    assert told["published-print"]["date-parts"] == [list(work.date)]
    assert told["published-online"]["date-parts"] == told["issued"]["date-parts"] == [list(work.online)]
    assert [person["family"] for person in told["author"]] == [author.last for author in work.authors]
    assert told["abstract"].startswith("<jats:title>Abstract</jats:title>")


# --- against recorded works


def _shapes(value: Any, path: str = "") -> set[tuple[str, str]]:
    """Every path of a JSON value with the type that stands there."""
    if isinstance(value, dict):
        return {(path, "object")}.union(*(_shapes(inner, f"{path}/{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {(path, "list")}.union(*(_shapes(inner, f"{path}[]") for inner in value))
    return {(path, "number" if isinstance(value, int | float) else type(value).__name__)}


def test_our_works_use_no_shape_that_crossref_has_not_answered() -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded works do not lie beside this checkout")
    recorded: set[tuple[str, str]] = set()
    with gzip.open(RECORDED, "rt") as lines:
        for line in lines:
            recorded |= _shapes(json.loads(line)["work"])
    ours = set().union(*(_shapes(work_json(work)) for work in WORKS))
    assert len(ours) > 80
    assert ours - recorded == set()


def test_recorded_works_can_be_served_as_they_are(client: httpx.Client) -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded works do not lie beside this checkout")
    with gzip.open(RECORDED, "rt") as lines:
        works = [json.loads(line)["work"] for line in lines][:300]
    with CrossrefServer(works) as server:
        for work in works[::50]:
            items = listed(server, client, filter=f"doi:{work['DOI']}")
            assert [item["title"] for item in items] == [work["title"]]
