"""Which database an export came from, told by its records: what their tags name, and how the database itself writes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sync.core.record import Entry
from sync.core.text import squeeze

# Names of databases as exports write them, and what we call them. In this order: Embase holds MEDLINE's records, too.
_NAMES = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"embase", "Embase"),
        (r"\bpubmed\b", "PubMed"),
        (r"medline|^(?:cmedm|mdc|mnh|ppmf)", "MEDLINE"),
        (r"psyc ?info|^psyh$", "APA PsycInfo"),
        (r"psyc ?articles|^pdh$", "APA PsycArticles"),
        (r"cinahl|^(?:ccm|rzh|jlh|c8h|cin20)$", "CINAHL"),
        (r"scopus", "Scopus"),
        (r"web of science|(?:science|sciences|humanities) citation index|^wos$", "Web of Science"),
        (r"cochrane central|controlled trials|^central$", "CENTRAL"),
        (r"cochrane database of systematic reviews|^(?:cdsr|chh)$", "Cochrane Reviews"),
        (r"\beric\b", "ERIC"),
        (r"lilacs", "LILACS"),
        (r"^ecn$|econlit", "EconLit"),
        (r"^lxh$", "Library, Information Science and Technology Abstracts"),
        (r"^(?:aph|afh)$", "Academic Search Premier"),
        (r"^(?:a9h|asx)$", "Academic Search Complete"),
        (r"^(?:buh|bth)$", "Business Source"),
        (r"^(?:sph|s3h)$", "SPORTDiscus"),
        (r"^sih$", "SocINDEX"),
        (r"^8gh$", "GreenFILE"),
    )
)
_READ_AS = {"pubmed-xml": "PubMed", "medline": "PubMed", "isi": "Web of Science", "crossref-json": "Crossref"}
_OWN_TAGS = {"ris": frozenset({"DB"}), "medline": frozenset({"DB"}), "endnote": frozenset({"%~"})}
_SIDE_TAGS = {"ris": frozenset({"DP"}), "endnote": frozenset({"%W"})}  # the host, and sometimes the database
# How a database writes where it does not say its name: tag, what its value begins with or holds, database.
_HABITS = tuple(
    (frozenset(tags.split()), re.compile(pattern, re.IGNORECASE), name)
    for tags, pattern, name in (
        ("UR LK L2 L4", r"\bscopus\.com/", "Scopus"),
        ("N1", r"^export date: ", "Scopus"),
        ("AN ID UT", r"^(?:WOS|BCI|KJD):[A-Z0-9]", "Web of Science"),
        ("UR LK L2", r"\bembase\.com/", "Embase"),
        ("U2", r"^L\d{8,10}$", "Embase"),
        ("AN ID", r"^CN-\d{8}$", "CENTRAL"),
        ("AN", r"^\d{4}-\d{5}-\d{3}$", "APA PsycInfo"),
        ("AN", r"^E[DJ]\d{6,7}$", "ERIC"),
    )
)
_HABIT_TAGS = frozenset(tag for tags, _, _ in _HABITS for tag in tags)
# The line that Ovid, JSTOR and others put before or behind a record.
_LINE = re.compile(r"\bdatabase[ \t]?:[ \t]{0,9}([^\s<][^\n<]{0,200})", re.IGNORECASE)
_NO_NAME = re.compile(r"[\d\W]*")
_MOST_NAME = 60  # letters of a name that no table has


def database_of(entry: Entry, read_as: str) -> str:
    """The database that a record comes from; empty where nothing tells it. read_as: the name of the format it was read in."""
    own, side = _OWN_TAGS.get(read_as, frozenset()), _SIDE_TAGS.get(read_as, frozenset())
    hosts, habit = "", ""
    for tag, value, _ in entry.tagged:
        if tag in own and (name := _called(value)):
            return name
        if tag in side:
            hosts = hosts or _known(value)
        elif read_as == "ris" and not habit and tag in _HABIT_TAGS:
            habit = _habit(tag, value)
        if tag == "C1" and not hosts:
            hosts = database_line(value)
    return hosts or habit or _READ_AS.get(read_as, "")


def database_line(text: str) -> str:
    """The database that a line `Database: Embase <1974 to 2026>` between records names; empty if there is none."""
    found = _LINE.search(text)
    return _called(found.group(1)) if found else ""


def majority(votes: Mapping[str, int]) -> str:
    """The database of more than half of the records; empty where there is none, or it is not known. votes: by name, "" included."""
    most = max(votes, key=lambda name: votes[name], default="")
    return most if most and 2 * votes[most] > sum(votes.values()) else ""


def _called(value: str) -> str:
    """A database by our name for it, else by its own; nothing where the value is no name."""
    name = squeeze(value)
    known = _known(name)
    return known or (name if len(name) <= _MOST_NAME and not _NO_NAME.fullmatch(name) else "")


def _known(value: str) -> str:
    return _first(name for pattern, name in _NAMES if pattern.search(value))


def _habit(tag: str, value: str) -> str:
    return _first(name for tags, pattern, name in _HABITS if tag in tags and pattern.search(value))


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "")
