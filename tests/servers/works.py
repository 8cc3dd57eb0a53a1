"""Works of our own, from which each stand-in makes its service's answer and a test makes its drop.

Titles, people, journals and places are invented; DOIs lie under 10.5555 (the prefix for examples), PMIDs above 90,000,000
(none is given yet). Shapes that are rare, and one real work, stand in `works_special`.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

MOST = 100_000  # works a seed can have, so that PMIDs of different seeds do not meet


@dataclass(frozen=True, slots=True)
class Author:
    """A person as PubMed has them (given names in full), or a group."""

    last: str = ""
    first: str = ""
    suffix: str = ""
    orcid: str = ""
    group: str = ""

    @property
    def initials(self) -> str:
        """`Anna Maria` -> `AM`."""
        return "".join(name[0] for name in re.split(r"[\s-]+", self.first) if name)

    @property
    def short_first(self) -> str:
        """`Anna Maria` -> `Anna M.`, as publishers often deposit it."""
        name, *others = self.first.split()
        return " ".join([name, *(f"{other[0]}." for other in others)])


@dataclass(frozen=True, slots=True)
class Work:
    """One work, and what each service knows of it.

    title, journal: XML text (`&amp;`, and markup as the services send it); all else is plain text.  date: of the issue; online: before it, if so; both
    (year, month, day), as far as known.  abstract: (label, paragraph) pairs.  abstract_in: the services that have it.
    mesh: (descriptor, qualifier) pairs.  comments: PubMed's (RefType, citation, PMID).  cites: DOIs.
    crossref: fields as they stand in Crossref's JSON, laid over what is made of the rest.
    """

    doi: str
    title: str
    authors: tuple[Author, ...] = ()
    journal: str = ""
    abbreviation: str = ""
    issn: str = ""
    publisher: str = "Example University Press"
    volume: str = ""
    issue: str = ""
    pages: str = ""
    article_number: str = ""
    date: tuple[int, ...] = (2020,)
    online: tuple[int, ...] = ()
    language: str = "en"
    abstract: tuple[tuple[str, str], ...] = ()
    abstract_in: frozenset[str] = frozenset({"crossref", "pubmed"})
    kind: str = "journal-article"
    pmid: str = ""
    pmcid: str = ""
    mesh: tuple[tuple[str, str], ...] = ()
    keywords: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    publication_types: tuple[tuple[str, str], ...] = (("D016428", "Journal Article"),)
    comments: tuple[tuple[str, str, str], ...] = ()
    crossref: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plain_title(self) -> str:
        """The title without markup."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", "", self.title)).split())

    @property
    def first_page(self) -> str:
        """`117-124` -> `117`; an article number stands in where there are no pages."""
        return self.pages.split("-")[0] or self.article_number

    @property
    def whole_abstract(self) -> str:
        """The abstract as one line, labels in front of their paragraphs."""
        return " ".join(f"{label}: {text}" if label else text for label, text in self.abstract)


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal: its name, its ISO abbreviation, its ISSN."""

    name: str
    abbreviation: str
    issn: str


def issn(seven: int) -> str:
    """An ISSN of seven digits and its check digit (ISO 3297): `issn(9999001)` -> `9999-0013`."""
    digits = f"{seven:07d}"
    rest = -sum(int(digit) * weight for digit, weight in zip(digits, range(8, 1, -1), strict=True)) % 11
    return f"{digits[:4]}-{digits[4:]}{'X' if rest == 10 else rest}"


_JOURNAL_NAMES = (
    ("Annals of Lighthouse Medicine", "Ann Lighth Med"),
    ("Archives of Quiet Physiology", "Arch Quiet Physiol"),
    ("Estuarine Public Health", "Estuar Public Health"),
    ("Journal of Applied Tidal Biology", "J Appl Tidal Biol"),
    ("Journal of Bread and Metabolism", "J Bread Metab"),
    ("Lantern Reviews in Ophthalmology", "Lantern Rev Ophthalmol"),
    ("Moorland Nursing Research", "Moorl Nurs Res"),
    ("Northern Journal of Sleep &amp; Work", "North J Sleep Work"),
    ("Proceedings of the Heath Society", "Proc Heath Soc"),
    ("Quarterly of Rural Cardiology", "Q Rural Cardiol"),
    ("Transactions on Small Clinics", "Trans Small Clin"),
    ("Zeitschrift für Stadtluft", "Z Stadtluft"),
)
JOURNALS = tuple(Journal(name, short, issn(9999000 + n)) for n, (name, short) in enumerate(_JOURNAL_NAMES))

_LASTS = (
    *("Abelard", "Brinkhoff", "Cardew", "D'Ombrain", "Eskelund", "Fenwick-Rao", "Grzymala", "Håkonsen", "Iwasaki"),
    *("Jellicoe", "Kovačić", "Lindqvist", "Mbatha", "Núñez", "O’Fallon", "Petrosyan", "Quisling", "Røed", "Sørbø"),
    *("Tanwar", "Uzoma", "van der Meulen", "Wójcik", "Xiang", "Yıldırım", "Zubiri", "Li", "Smith", "García Prado"),
)
_FIRSTS = (
    *("Anna Maria", "Bo", "Célia", "Dmitri Ivan", "Eun-Ji", "Farah", "Gustav Adolf", "Hana", "Ivo", "Jean-Luc"),
    *("Katarzyna", "Luis Miguel", "Mei", "Noor", "Oluwaseun", "Pia Sofie", "Rashid", "Siobhán", "Tomas", "William J"),
)
_SUBJECTS = (
    *("Bell ringing", "Cold sea bathing", "Evening choir practice", "Hedge gardening", "Late ferry shifts"),
    *("Lentil porridge", "Loom noise", "Mild altitude", "Night beekeeping", "Peat smoke", "Rowing indoors"),
    *("Short naps", "Slow reading", "Standing desks", "Village dances", "Walking to school", "Warm foot baths"),
)
_OUTCOMES = (
    *("blood pressure", "bone density", "chronic cough", "daytime alertness", "fasting glucose", "grip strength"),
    *("hearing thresholds", "low back pain", "mood", "resting heart rate", "sleep latency", "wound healing"),
)
_PEOPLE = (
    *("apprentice bakers", "bus drivers", "ferry crews", "first-year nurses", "harbour pilots", "hill farmers"),
    *("older widowers", "postal workers", "primary school pupils", "retired miners", "shift midwives", "weavers"),
)
_DESIGNS = (
    "a cohort study",
    "a crossover trial",
    "a pilot study",
    "a qualitative study",
    "a randomised trial",
    "a survey",
)
_SYLLABLES = (
    "bar",
    "dun",
    "el",
    "fen",
    "gar",
    "hol",
    "kel",
    "lor",
    "mar",
    "nes",
    "or",
    "quil",
    "rav",
    "sund",
    "tor",
    "ven",
)
_MESH = (
    ("Blood Pressure", "physiology"),
    ("Noise, Occupational", "adverse effects"),
    ("Sleep", ""),
    ("Rural Population", "statistics & numerical data"),
    ("Humans", ""),
    ("Aged", ""),
    ("Exercise", ""),
    ("Nursing Staff", "psychology"),
)
_SENTENCES = (
    ("Background", "Little is known about {subject} and {outcome} among {people} of {place}."),
    ("Methods", "We followed {n} {people} for {weeks} weeks and measured {outcome} (p<0.05 was taken as a signal)."),
    ("Results", "After {weeks} weeks {outcome} had changed by {change} % (95 % CI {low} to {high})."),
    ("Conclusions", "{subject} may matter for {outcome}; a larger study in {place} is needed."),
)
_LANGUAGES = ("en",) * 17 + ("de", "fr", "es")


def make_works(count: int, seed: int = 0) -> tuple[Work, ...]:
    """Journal articles, the same for the same seed; the first n of a longer list are the shorter list.

    Seeds from 0 to 99 share no DOI and no PMID. At most 100,000; ValueError above.
    """
    if count > MOST or not 0 <= seed < 100:
        raise ValueError(f"at most {MOST} works of a seed from 0 to 99, not {count} of {seed}")
    return tuple(islice(_endless(seed), count))


def _endless(seed: int) -> Iterable[Work]:
    rng = random.Random(f"works-{seed}")
    taken: set[str] = set()
    before = ""
    for number in range(MOST):
        words = _words(rng)
        while words["title"] in taken:
            words = _words(rng)
        taken.add(words["title"])
        work = _article(rng, seed, number, words, before)
        before = work.doi
        yield work


def _words(rng: random.Random) -> dict[str, str]:
    words = {
        "subject": rng.choice(_SUBJECTS),
        "outcome": rng.choice(_OUTCOMES),
        "people": rng.choice(_PEOPLE),
        "place": "".join(rng.choices(_SYLLABLES, k=3)).capitalize(),
        "n": str(rng.randint(12, 4000)),
        "weeks": str(rng.randint(2, 104)),
        "change": f"{rng.uniform(-20, 20):.1f}",
        "low": f"{rng.uniform(-30, -20):.1f}",
        "high": f"{rng.uniform(20, 30):.1f}",
    }
    title = "{subject} and {outcome} in {people} of {place}: {design}".format(**words, design=rng.choice(_DESIGNS))
    return {**words, "title": title}


def _article(rng: random.Random, seed: int, number: int, words: Mapping[str, str], before: str) -> Work:
    journal = rng.choice(JOURNALS)
    year, start = rng.randint(1994, 2025), rng.randint(1, 1800)
    stem = "ZD" if number % 7 == 3 else "zd"  # some publishers register capitals
    electronic = number % 9 == 4
    return Work(
        doi=f"10.5555/{stem}.{seed}.{number:06d}",
        title=words["title"],
        authors=tuple(_author(rng) for _ in range(rng.randint(1, 6))),
        journal=journal.name,
        abbreviation=journal.abbreviation,
        issn=journal.issn,
        volume=str(year - 1990),
        issue=str(rng.randint(1, 12)),
        pages="" if electronic else f"{start}-{start + rng.randint(0, 24)}",
        article_number=f"e{rng.randint(10000, 99999)}" if electronic else "",
        date=(year, rng.randint(1, 12), rng.randint(1, 28))[: rng.choice((1, 2, 3, 3))],
        online=(year - 1, 12, rng.randint(1, 28)) if rng.random() < 0.25 else (),
        language=rng.choice(_LANGUAGES),
        abstract=_abstract(rng, words),
        abstract_in=frozenset({"pubmed", *(("crossref",) if rng.random() < 0.4 else ())}),
        pmid=str(90_000_000 + seed * MOST + number),
        pmcid=f"PMC{80_000_000 + seed * MOST + number}" if number % 3 == 0 else "",
        mesh=tuple(sorted(rng.sample(_MESH, rng.randint(0, 5)))),
        keywords=(words["subject"].lower(), words["outcome"]) if number % 2 else (),
        cites=(before,) if before else (),
    )


def _author(rng: random.Random) -> Author:
    orcid = f"0000-0002-{rng.randint(0, 9999):04d}-{rng.randint(0, 9999):04d}" if rng.random() < 0.2 else ""
    return Author(rng.choice(_LASTS), rng.choice(_FIRSTS), "Jr" if rng.random() < 0.03 else "", orcid)


def _abstract(rng: random.Random, words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """None (one in eight), labelled, or one paragraph without labels."""
    shape = rng.random()
    if shape < 0.125:
        return ()
    parts = tuple((label, text.format(**words)) for label, text in _SENTENCES)
    return parts if shape < 0.6 else (("", " ".join(text for _, text in parts)),)


_RIS_TYPES = {
    "journal-article": "JOUR",
    "book-chapter": "CHAP",
    "posted-content": "UNPB",
    "proceedings-article": "CONF",
}


def to_ris(works: Iterable[Work], newline: str = "\r\n", *, without: Collection[str] = ()) -> str:
    """The works as a database exports them: one record each, a blank line between; `without` leaves tags out."""
    blocks = (
        newline.join(f"{tag}  - {value}" for tag, value in _ris_lines(work) if value and tag not in without)
        + f"{newline}ER  - {newline}"
        for work in works
    )
    return newline.join(blocks)


def _ris_lines(work: Work) -> list[tuple[str, str]]:
    start, _, end = work.pages.partition("-")
    return [
        ("TY", _RIS_TYPES.get(work.kind, "GEN")),
        *(("AU", a.group or ", ".join(part for part in (a.last, a.first, a.suffix) if part)) for a in work.authors),
        ("TI", work.plain_title),
        ("T2", html.unescape(work.journal)),
        ("J2", work.abbreviation),
        ("PY", str(work.date[0])),
        ("DA", "/".join(f"{part:02d}" for part in work.date) + "/" * (3 - len(work.date))),
        ("VL", work.volume),
        ("IS", work.issue),
        ("SP", start or work.article_number),
        ("EP", end),
        ("SN", work.issn),
        ("DO", work.doi),
        ("AN", work.pmid),
        ("AB", work.whole_abstract),
        *(("KW", word) for word in work.keywords),
        ("UR", f"https://doi.org/{work.doi}" if work.doi else ""),
    ]
