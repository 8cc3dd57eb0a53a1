"""The stand-in for NCBI against recorded facts."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from tests.servers.ncbi import NcbiServer
from tests.servers.ncbi_xml import article_set, article_xml, short_pages
from tests.servers.works import make_works
from tests.servers.works_special import SPECIAL

RECORDED = Path(__file__).parents[3] / "shared" / "conformance" / "pubmed" / "articles.jsonl.gz"
GENERATED = make_works(60, seed=1)
WORKS = (*SPECIAL.values(), *GENERATED)
IN_PUBMED = tuple(work for work in WORKS if work.pmid)
IN_PMC = tuple(work for work in GENERATED if work.pmcid)
ABSENT = "10.5555/not.indexed"


@pytest.fixture(scope="module")
def server() -> Iterator[NcbiServer]:
    with NcbiServer(WORKS) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as speaking:
        yield speaking


def ask(server: NcbiServer, client: httpx.Client, program: str, /, **params: str) -> httpx.Response:
    return client.post(f"{server.eutils_url}/{program}", data={"db": "pubmed", **params})


def search(server: NcbiServer, client: httpx.Client, term: str, **more: str) -> dict[str, Any]:
    result: dict[str, Any] = ask(server, client, "esearch.fcgi", term=term, retmode="json", **more).json()[
        "esearchresult"
    ]
    return result


def fetch(server: NcbiServer, client: httpx.Client, *pmids: str) -> etree._Element:
    return etree.fromstring(ask(server, client, "efetch.fcgi", id=",".join(pmids), retmode="xml").content)


def convert(server: NcbiServer, client: httpx.Client, *ids: str, **more: str) -> httpx.Response:
    return client.get(server.idconv_url, params={"ids": ",".join(ids), "format": "json", **more})


# --- esearch


@pytest.mark.parametrize("field", ["doi", "aid", "lid", "DOI"])
def test_a_doi_finds_its_pmid_in_any_case(server: NcbiServer, client: httpx.Client, field: str) -> None:
    work = GENERATED[3]
    found = search(server, client, f"{work.doi.swapcase()}[{field}]")
    assert (found["count"], found["idlist"]) == ("1", [work.pmid])


def test_alternatives_by_post_find_all_newest_first(server: NcbiServer, client: httpx.Client) -> None:
    term = " OR ".join([*(f"{work.doi}[doi]" for work in GENERATED[:40]), f"{SPECIAL['jmir'].pmid}[pmid]"])
    found = search(server, client, term, retmax="100")
    assert found["idlist"] == [*(work.pmid for work in reversed(GENERATED[:40])), "38373027"]


def test_a_search_gives_twenty_unless_told_and_counts_all(server: NcbiServer, client: httpx.Client) -> None:
    term = " OR ".join(f"{work.pmid}[pmid]" for work in GENERATED)
    assert [len(search(server, client, term, **more)["idlist"]) for more in ({}, {"retmax": "50"})] == [20, 50]
    assert search(server, client, term)["count"] == "60"
    assert search(server, client, term, retstart="55")["idlist"] == [work.pmid for work in reversed(GENERATED[:5])]


def test_get_and_post_are_the_same(server: NcbiServer, client: httpx.Client) -> None:
    params = {"db": "pubmed", "term": f"{GENERATED[0].doi}[doi]", "retmode": "json"}
    address = f"{server.eutils_url}/esearch.fcgi"
    assert client.get(address, params=params).json() == client.post(address, data=params).json()


def test_no_hit_is_a_200_that_names_the_phrase(server: NcbiServer, client: httpx.Client) -> None:
    found = search(server, client, f"{ABSENT}[doi]")
    assert (found["count"], found["idlist"]) == ("0", [])
    assert found["errorlist"] == {"phrasesnotfound": [f"{ABSENT}[doi]"], "fieldsnotfound": []}
    assert found["warninglist"]["outputmessages"] == ["No items found."]


def test_xml_says_the_same_as_json(server: NcbiServer, client: httpx.Client) -> None:
    term = f"{GENERATED[0].doi}[doi] OR {ABSENT}[doi]"
    tree = etree.fromstring(ask(server, client, "esearch.fcgi", term=term).content)
    assert (tree.tag, tree.findtext("Count"), [e.text for e in tree.iter("Id")]) == (
        "eSearchResult",
        "1",
        [GENERATED[0].pmid],
    )
    assert [e.text for e in tree.iter("PhraseNotFound")] == [f"{ABSENT}[doi]"]
    assert tree.find("WarningList") is None


def test_a_doi_that_is_not_indexed_can_find_a_similar_one(client: httpx.Client) -> None:
    with NcbiServer(WORKS, fallback={ABSENT: GENERATED[5].pmid}) as server:
        assert search(server, client, f"{ABSENT}[doi]")["idlist"] == [GENERATED[5].pmid]
        assert ABSENT not in ask(server, client, "efetch.fcgi", id=GENERATED[5].pmid, retmode="xml").text


def test_a_doi_that_ends_in_a_bracket_is_found_and_brackets_around_are_ignored(client: httpx.Client) -> None:
    odd = make_works(1, seed=9)[0]
    with NcbiServer([type(odd)(doi="10.5555/s0140(20)(x)", title="Odd", pmid="90999999")]) as server:
        for term in ("10.5555/S0140(20)(x)[doi]", '("10.5555/S0140(20)(x)"[doi])'):
            assert search(server, client, term)["idlist"] == ["90999999"]


def test_words_of_a_title_find_it(server: NcbiServer, client: httpx.Client) -> None:
    assert search(server, client, "owls pellets counting[ti] AND 89000003[pmid]")["idlist"] == ["89000003"]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_wrong_database_is_an_error_with_status_200(
    server: NcbiServer, client: httpx.Client, *, as_json: bool
) -> None:
    answer = ask(server, client, "esearch.fcgi", db="pubmeed", term="x", **({"retmode": "json"} if as_json else {}))
    assert answer.status_code == 200
    said = answer.json()["esearchresult"]["ERROR"] if as_json else etree.fromstring(answer.content).findtext("ERROR")
    assert said == "Invalid db name specified: pubmeed"


# --- efetch


def test_unknown_pmids_are_just_missing_from_the_set(server: NcbiServer, client: httpx.Client) -> None:
    tree = fetch(server, client, GENERATED[1].pmid, "12345", GENERATED[0].pmid, GENERATED[1].pmid)
    assert tree.tag == "PubmedArticleSet"
    assert [e.text for e in tree.iterfind("PubmedArticle/MedlineCitation/PMID")] == [
        GENERATED[1].pmid,
        GENERATED[0].pmid,
    ]


def test_an_empty_list_of_ids_is_an_error_with_status_200(server: NcbiServer, client: httpx.Client) -> None:
    answer = ask(server, client, "efetch.fcgi", id="", retmode="xml")
    assert (answer.status_code, etree.fromstring(answer.content).findtext("ERROR") is None) == (200, False)


def test_1200_ids_by_get_are_too_long_and_by_post_are_not(server: NcbiServer, client: httpx.Client) -> None:
    params = {"db": "pubmed", "retmode": "xml", "id": ",".join(str(90_100_000 + n) for n in range(1200))}
    refused = client.get(f"{server.eutils_url}/efetch.fcgi", params=params)
    assert (refused.status_code, "Submitted URI too large!" in refused.text) == (414, True)
    assert refused.headers["content-type"].startswith("text/html")
    assert ask(server, client, "efetch.fcgi", id=params["id"], retmode="xml").text.count("<PubmedArticle>") == 60


def test_every_article_is_well_formed_and_carries_its_own_identifiers(server: NcbiServer, client: httpx.Client) -> None:
    articles = {
        e.findtext("MedlineCitation/PMID"): e for e in fetch(server, client, *(work.pmid for work in IN_PUBMED))
    }
    assert len(articles) == len(IN_PUBMED)
    for work in IN_PUBMED:
        own = {e.get("IdType"): e.text for e in articles[work.pmid].iterfind("PubmedData/ArticleIdList/ArticleId")}
        assert (own["doi"], own["pubmed"], own.get("pmc", "")) == (work.doi, work.pmid, work.pmcid)
        assert articles[work.pmid].findtext(".//ELocationID[@EIdType='doi']") == work.doi


def test_a_cited_doi_stands_only_among_the_references(server: NcbiServer, client: httpx.Client) -> None:
    (article,) = fetch(server, client, GENERATED[1].pmid)
    cited = GENERATED[1].cites[0]
    assert cited in [e.text for e in article.iter("ArticleId")]
    assert cited not in [e.text for e in article.iterfind("PubmedData/ArticleIdList/ArticleId")]


def test_retraction_group_and_preprint_are_told(server: NcbiServer, client: httpx.Client) -> None:
    retracted, group, preprint = (
        fetch(server, client, SPECIAL[name].pmid) for name in ("retracted", "group", "preprint")
    )
    assert retracted.find(".//PublicationType[@UI='D016441']") is not None
    assert retracted.findtext(".//CommentsCorrections[@RefType='RetractionIn']/PMID") == SPECIAL["notice"].pmid
    assert group.findtext(".//Author/CollectiveName") == "Harbour Air & Asthma Group"
    assert preprint.find(".//PublicationType[@UI='D000076942']") is not None


@pytest.mark.parametrize(
    ("whole", "short"),
    [
        ("117-124", "117-24"),
        ("88-97", "88-97"),
        ("693-702", "693-702"),
        ("5-5", "5-5"),
        ("98-101", "98-101"),
        ("4", "4"),
    ],
)
def test_pages_are_shortened_as_pubmed_does(whole: str, short: str) -> None:
    assert short_pages(whole) == short


# --- ecitmatch


def cite(work: Any, key: str, **changed: str) -> str:
    facts = {"journal": work.abbreviation, "year": str(work.date[0]), "volume": work.volume, "page": work.first_page}
    author = f"{work.authors[0].last} {work.authors[0].initials}"
    return "|".join([*{**facts, **changed}.values(), author, key, ""])


def test_citations_are_matched_line_by_line(server: NcbiServer, client: httpx.Client) -> None:
    lines = [
        cite(GENERATED[0], "a"),
        cite(GENERATED[1], "b", page="99999"),
        cite(GENERATED[2], "c", journal="No Such J"),
    ]
    answer = ask(server, client, "ecitmatch.cgi", retmode="xml", bdata="\r".join(lines))
    assert answer.headers["content-type"].startswith("text/plain")
    rows = [line.split("|") for line in answer.text.splitlines()]
    assert [row[-2] for row in rows] == ["a", "b", "c"]
    assert [row[-1] for row in rows] == [GENERATED[0].pmid, "NOT_FOUND", "NOT_FOUND;INVALID_JOURNAL"]


def test_full_journal_names_match_too_and_case_does_not_matter(server: NcbiServer, client: httpx.Client) -> None:
    work = SPECIAL["jmir"]
    line = cite(work, "k", journal="jmir FORMATIVE research")
    assert ask(server, client, "ecitmatch.cgi", retmode="xml", bdata=line).text.strip().endswith("|k|38373027")


def test_few_candidates_are_listed_and_many_are_counted(server: NcbiServer, client: httpx.Client) -> None:
    name = Counter(work.journal for work in IN_PUBMED).most_common(1)[0][0]
    there = [work.pmid for work in IN_PUBMED if work.journal == name]
    assert len(there) > 3
    bdata = f"{unescape(name)}|||||many|"
    assert (
        ask(server, client, "ecitmatch.cgi", retmode="xml", bdata=bdata)
        .text.strip()
        .endswith(f"AMBIGUOUS ({len(there)} citations)")
    )
    twins = [work for work in IN_PUBMED if work.journal == "Estuarine Public Health"][:2]
    with NcbiServer(twins) as small:
        few = ask(small, client, "ecitmatch.cgi", retmode="xml", bdata="Estuarine Public Health|||||few|").text.strip()
    assert few.endswith(f"AMBIGUOUS {twins[0].pmid},{twins[1].pmid}")


def test_without_retmode_xml_it_is_a_web_page(server: NcbiServer, client: httpx.Client) -> None:
    assert (
        ask(server, client, "ecitmatch.cgi", bdata=cite(GENERATED[0], "a"))
        .headers["content-type"]
        .startswith("text/html")
    )


def test_the_answer_ends_at_a_miss_without_a_journal(server: NcbiServer, client: httpx.Client) -> None:
    lines = [cite(GENERATED[0], "a"), cite(GENERATED[1], "b", journal="", page="99999"), cite(GENERATED[2], "c")]
    answer = ask(server, client, "ecitmatch.cgi", retmode="xml", bdata="\r".join(lines))
    assert [line.split("|")[-2] for line in answer.text.splitlines()] == ["a"]


def test_a_miss_can_leave_the_author_out(client: httpx.Client) -> None:
    with NcbiServer(WORKS, misses_drop_author=True) as server:
        line = cite(GENERATED[1], "b", page="99999")
        row = ask(server, client, "ecitmatch.cgi", retmode="xml", bdata=line).text.strip().split("|")
    assert row == [*line.split("|")[:4], "b", "NOT_FOUND"]


# --- ID converter


def test_pmids_and_dois_are_converted_where_pmc_has_them(server: NcbiServer, client: httpx.Client) -> None:
    inside, outside = IN_PMC[1], GENERATED[1]
    body = convert(server, client, inside.doi.upper(), outside.doi, idtype="doi").json()
    assert body["status"] == "ok"
    assert body["records"] == [
        {"doi": inside.doi, "pmcid": inside.pmcid, "pmid": int(inside.pmid), "requested-id": inside.doi.upper()},
        {"doi": outside.doi, "requested-id": outside.doi, "status": "error", "errmsg": "Identifier not found in PMC"},
    ]
    assert convert(server, client, inside.pmid, idtype="pmid").json()["records"][0]["pmcid"] == inside.pmcid


@pytest.mark.parametrize(
    ("ids", "more"),
    [
        ((GENERATED[0].doi,), {}),  # a DOI without idtype
        ((GENERATED[0].pmid, IN_PMC[0].pmcid), {}),  # mixed
        ((GENERATED[0].pmid, GENERATED[0].doi), {"idtype": "pmid"}),
    ],
)
def test_mixed_or_undeclared_ids_are_a_400(
    server: NcbiServer, client: httpx.Client, ids: tuple[str, ...], more: dict[str, str]
) -> None:
    answer = convert(server, client, *ids, **more)
    body = answer.json()
    assert (answer.status_code, body["status"], body["errors"][0]["code"]) == (400, "error", "invalid_pmids")


def test_200_ids_are_taken_and_201_are_not(server: NcbiServer, client: httpx.Client) -> None:
    ids = [str(n) for n in range(1, 202)]
    assert [convert(server, client, *some, idtype="pmid").status_code for some in (ids[:200], ids)] == [200, 400]


def test_the_old_address_leads_to_the_new_one(server: NcbiServer, client: httpx.Client) -> None:
    answer = client.get(f"{server.url}/pmc/utils/idconv/v1.0/?ids=1&format=json&idtype=pmid")
    assert (answer.status_code, answer.headers["location"]) == (
        301,
        f"{server.idconv_url}?ids=1&format=json&idtype=pmid",
    )
    assert client.get(answer.headers["location"]).json()["status"] == "ok"


# --- manners


@pytest.mark.parametrize(("key", "limit", "status"), [("", 3, 429), ("k1", 10, 429), ("", 3, 200)])
def test_above_the_rate_comes_the_json_error_until_a_second_has_passed(
    client: httpx.Client, key: str, limit: int, status: int
) -> None:
    now = [50.0]
    more = {"api_key": key} if key else {}
    with NcbiServer(WORKS, rate=True, throttle_status=status, clock=lambda: now[0]) as server:
        well = [ask(server, client, "efetch.fcgi", id="1", retmode="xml", **more) for _ in range(limit)]
        refused = ask(server, client, "efetch.fcgi", id="1", retmode="xml", **more)
        now[0] += 1.0
        again = ask(server, client, "efetch.fcgi", id="1", retmode="xml", **more)
    assert all("PubmedArticleSet" in answer.text for answer in (*well, again))
    assert (refused.status_code, refused.json()["error"], refused.json()["limit"]) == (
        status,
        "API rate limit exceeded",
        str(limit),
    )
    assert (refused.headers["x-ratelimit-limit"], well[0].headers["x-ratelimit-limit"]) == (str(limit), str(limit))


def test_a_wrong_key_is_refused(client: httpx.Client) -> None:
    with NcbiServer(WORKS, keys=frozenset({"good"})) as server:
        assert [
            ask(server, client, "esearch.fcgi", term="1[pmid]", api_key=k).status_code for k in ("good", "bad")
        ] == [200, 400]


def test_who_calls_is_noted(client: httpx.Client) -> None:
    with NcbiServer(WORKS) as server:
        ask(server, client, "esearch.fcgi", term="1[pmid]", tool="zotdrop", email="a@b.example")
        convert(server, client, "1", tool="zotdrop", email="a@b.example")
        assert server.callers == {("zotdrop", "a@b.example")}
        ask(server, client, "esearch.fcgi", term="1[pmid]")
        assert ("", "") in server.callers


# --- against recorded articles


def _paths(tree: etree._Element, above: str = "") -> set[str]:
    """Every path of elements, and of attributes, of a document; MathML's inside is left out."""
    here = f"{above}/{etree.QName(tree).localname}"
    inner = [child for child in tree if isinstance(child.tag, str) and "MathML" not in child.tag]
    return {here, *(f"{here}@{name}" for name in map(str, tree.attrib))}.union(
        *(_paths(child, here) for child in inner)
    )


def test_our_articles_use_no_element_that_pubmed_has_not_answered() -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded articles do not lie beside this checkout")
    recorded: set[str] = set()
    with gzip.open(RECORDED, "rt") as lines:
        for line in lines:
            recorded |= _paths(etree.fromstring(json.loads(line)["xml"].encode()))
    ours = _paths(etree.fromstring(article_set(map(article_xml, IN_PUBMED)).encode()))
    assert len(ours) > 60
    assert ours - recorded == set()
