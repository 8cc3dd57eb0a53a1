"""Works by hand: one of each shape that is rare, and that has bitten somebody.

All are invented, but one: the article 10.2196/50113, by its bibliographic facts, with an abstract in our own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tests.servers.works import JOURNALS, Author, Work

_RETRACTED, _NOTICE = "10.5555/special.retracted", "10.5555/special.retracted.notice"
_NOTICE_DATE = {"date-parts": [[2019, 3, 4]], "date-time": "2019-03-04T00:00:00Z", "timestamp": 1551657600000}
_MATH = (
    '<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:msub><mml:mi>Fe</mml:mi><mml:mn>3</mml:mn></mml:msub>'
    "<mml:msub><mml:mi>O</mml:mi><mml:mn>4</mml:mn></mml:msub></mml:math>"
)


def _update(doi: str, source: str, **more: Any) -> dict[str, Any]:
    return {"DOI": doi, "type": "retraction", "label": "Retraction", "source": source, "updated": _NOTICE_DATE, **more}


def _in(journal: int, **facts: Any) -> dict[str, Any]:
    chosen = JOURNALS[journal]
    return {"journal": chosen.name, "abbreviation": chosen.abbreviation, "issn": chosen.issn, **facts}


_JMIR_AUTHORS = (
    Author("Thapar", "Serena"),
    Author("Nguyen", "Megan"),
    Author("Khan", "Bilal Noreen"),
    Author("Fanaieyan", "Roz"),
    Author("Kishimoto", "Vanessa"),
    Author("Liu", "Rebecca"),
    Author("Bolea-Alamañac", "Blanca"),
    Author("Leon-Carlyle", "Marisa"),
    Author("O’Riordan", "Anne"),
    Author("Keresteci", "Maggie"),
    Author("Bhattacharyya", "Onil"),
)

_JMIR = Work(
    doi="10.2196/50113",
    title=(
        "Patient and Therapist Perceptions of a Publicly Funded Internet-Based Cognitive Behavioral Therapy (iCBT) "
        "Program for Ontario Adults During the COVID-19 Pandemic: Qualitative Study"
    ),
    authors=_JMIR_AUTHORS,
    journal="JMIR Formative Research",
    abbreviation="JMIR Form Res",
    issn="2561-326X",
    publisher="JMIR Publications Inc.",
    volume="8",
    article_number="e50113",
    date=(2024, 2, 19),
    abstract=(
        ("Background", "In the pandemic Ontario offered its adults two guided online therapy programs without charge."),
        ("Objective", "We asked what helps and what hinders such an offer for a whole province."),
        ("Methods", "Ten therapists and twenty patients were interviewed; themes were drawn from what they told."),
        (
            "Results",
            "Guidance, easy access and own pace helped; distance, little tailoring and isolation from other care did not.",
        ),
        (
            "Conclusions",
            "The programs were welcome and feasible, and want closer ties to the rest of the health system.",
        ),
    ),
    pmid="38373027",
    keywords=("depression", "anxiety", "cognitive behavioral therapy", "digital health", "iCBT", "qualitative"),
)

_RETRACTED_WORK = Work(
    doi=_RETRACTED,
    title="RETRACTED: Tidal water and the healing of sprains",
    authors=(Author("Quisling", "Ivo"), Author("Tanwar", "Noor")),
    **_in(2, volume="21", issue="2", pages="88-97", date=(2017, 6)),
    abstract=(("", "Sprains bathed in tidal water healed sooner."),),
    pmid="89000001",
    publication_types=(("D016428", "Journal Article"), ("D016441", "Retracted Publication")),
    comments=(("RetractionIn", "Estuar Public Health. 2019 Mar;23(1):4", "89000002"),),
    crossref={
        "updated-by": [_update(_NOTICE, "publisher"), _update(_NOTICE, "retraction-watch", **{"record-id": "90001"})]
    },
)

_NOTICE_WORK = Work(
    doi=_NOTICE,
    title="Retraction: Tidal water and the healing of sprains",
    **_in(2, volume="23", issue="1", pages="4", date=(2019, 3, 4)),
    pmid="89000002",
    publication_types=(("D016440", "Retraction of Publication"),),
    comments=(("RetractionOf", "Estuar Public Health. 2017 Jun;21(2):88-97", "89000001"),),
    crossref={"update-to": [_update(_RETRACTED, "publisher")]},
)

_CHAPTER = Work(
    doi="10.5555/special.chapter",
    title="Keeping bees on flat roofs",
    authors=(Author("Lindqvist", "Pia Sofie"), Author("Uzoma", "Farah")),
    journal="The Handbook of Small Urban Animals",
    pages="35-61",
    date=(2012, 10, 8),
    kind="book-chapter",
    crossref={
        "ISBN": ["9780000000019", "9780000000026"],
        "isbn-type": [{"value": "9780000000019", "type": "print"}, {"value": "9780000000026", "type": "electronic"}],
        "publisher-location": "Velmora, ZZ",
        "editor": [{"given": "Gustav", "family": "Eskelund", "sequence": "first", "affiliation": []}],
    },
)

_PREPRINT = Work(
    doi="10.5555/special.preprint.v2",
    title="Counting owls by their pellets",
    authors=(Author("Mbatha", "Hana", orcid="0000-0002-0000-0001"), Author("Xiang", "Mei")),
    date=(2023, 2, 8),
    kind="posted-content",
    abstract=(("", "Pellets under a roost tell how many owls sat above."),),
    pmid="89000003",
    journal="exampleRxiv : the preprint server for examples",
    abbreviation="exampleRxiv",
    issn="9999-9994",
    publication_types=(("D000076942", "Preprint"), ("D016428", "Journal Article")),
    comments=(("UpdateIn", "J Appl Tidal Biol. 2024 Jan;34(1):1-9", "89000004"),),
    crossref={
        "subtype": "preprint",
        "container-title": [],
        "short-container-title": [],
        "ISSN": None,
        "issn-type": None,
        "institution": [{"name": "exampleRxiv"}],
        "group-title": "Ecology",
        "posted": {"date-parts": [[2023, 2, 8]]},
        "aliases": ["10.5555/special.preprint"],
        "relation": {
            "is-preprint-of": [{"id-type": "doi", "id": "10.5555/special.published", "asserted-by": "subject"}],
        },
    },
)

_PUBLISHED = Work(
    doi="10.5555/special.published",
    title="Counting owls by their pellets",
    authors=(Author("Mbatha", "Hana"), Author("Xiang", "Mei")),
    **_in(3, volume="34", issue="1", pages="1-9", date=(2024, 1)),
    pmid="89000004",
    comments=(("UpdateOf", "exampleRxiv. 2023 Feb 8", "89000003"),),
)

_GROUP = Work(
    doi="10.5555/special.group",
    title="Harbour air and asthma: a register study",
    authors=(Author("Røed", "Tomas", suffix="Jr"), Author(group="Harbour Air & Asthma Group")),
    **_in(2, volume="30", issue="4", article_number="214", date=(2022, 9), online=(2021, 12, 30)),
    abstract=(("", "Asthma & harbour air, from the registers of six ports."),),
    pmid="89000005",
)

_MATHML = Work(
    doi="10.5555/special.mathml",
    title=f"Grain growth of \n                    {_MATH}\n                    at <i>low</i> field: H<sub>2</sub>O &amp; heat",
    authors=(Author("Wójcik", "Katarzyna"),),
    **_in(8, volume="5", issue="6", article_number="064417", date=(2021, 6, 25)),
    pmid="89000006",
)

_BARE = Work(
    doi="10.5555/special.bare",
    title="FIRE AND ICE",
    **_in(0, volume="139", issue="6", pages="787", date=(2003,)),
    pmid="89000007",
)

_SICI = Work(
    doi="10.5555/0002-8231(199806)49:8<693::AID-ZD4>3.0.CO;2-O",
    title="Shelving by smell",
    authors=(Author("Cardew", "Hana"),),
    **_in(10, volume="49", issue="8", pages="693-702", date=(1998, 6)),
)

_COMMA = Work(
    doi="10.5555/special,with,commas",
    title="On commas in names of things",
    authors=(Author("Zubiri", "Célia"),),
    **_in(10, volume="50", issue="1", pages="1-4", date=(1999,)),
)

_ALL: dict[str, Work] = {
    "jmir": _JMIR,
    "retracted": _RETRACTED_WORK,
    "notice": _NOTICE_WORK,
    "chapter": _CHAPTER,
    "preprint": _PREPRINT,
    "published": _PUBLISHED,
    "group": _GROUP,
    "mathml": _MATHML,
    "bare": _BARE,
    "sici": _SICI,
    "comma": _COMMA,
}

SPECIAL: Mapping[str, Work] = MappingProxyType(_ALL)
