"""What is compared of a record, folded once: title and what marks it, people, place, identifiers, the beginning of its abstract.

Titles are the business of `headings`, journals, volumes, issues and pages that of `places`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sync.core.folding import fold
from sync.core.headings import SPELT, WIDE, bare_title, in_order, numbers_of
from sync.core.identifiers import doi_key
from sync.core.markup import plain
from sync.core.places import ARTICLE_NUMBER, issue_of, journal_of, pages_of, volume_of, whole_issue
from sync.core.record import Record

GENERIC = 18  # letters: a title with fewer is one that many works bear
ABSTRACT = 300  # letters of an abstract that are compared
_TELLING_ABSTRACT = 60

_SIGNS = re.compile(r"[A-Z\d]([+-])(?=[\s,;:)]|$)|([<>\u2264\u2265])\s*\d")
_FOUR_DIGITS = re.compile(r"\d{4}")
_SIGNED = re.compile(r"[+<>\u2264\u2265]|-[\s,;:)]|-$")
# Numbers of trials in registers.
_REGISTERED = re.compile(
    r"\b(?:NCT\d{8}|ISRCTN\d{8}|ACTRN\d{14}|DRKS\d{8}|EUCTR\d{4}-\d{6}-\d{2}|ChiCTR[\w-]+|CTRI/\d{4}/\d+/\d+|IRCT\w+|UMIN\d{9})",
    re.IGNORECASE,
)

_YEAR = re.compile(r"(?<!\d)(?:1[4-9]|20)\d\d(?!\d)")
# A Cochrane review has one number; each of its versions has a DOI of its own.
COCHRANE = re.compile(r"10\.1002/14651858\.(cd\d+)(?:\.pub\d+)?$")
_SERVERS = re.compile(r"(?:bio|med|ar|chem|psy)r?xiv\b|(?:research square|ssrn|preprints?)\b")
_ISBN = re.compile(
    r"\b(?:97[89])?(\d{9})[\dX]\b"
)  # without prefix and check digit: those of ten and thirteen digits alike
_ISSN = re.compile(r"\d{4}-\d{3}[\dX]")

_NOBODY = frozenset({"et al", "others", "anonymous", "anon", "no authors listed"})
_HEADING = re.compile(r"^(?:abstract|background|objectives?|purpose|introduction|aims?|summary|context|importance) ")


_OWN_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "patent": ("patentNumber", "applicationNumber"),
    "report": ("reportNumber",),
    "standard": ("number",),
    "webpage": ("url",),
}
# What indexes call an abstract of a meeting that stands in a journal, and the tags in which they do.
_KIND_TAGS = frozenset({"M3", "PT", "DT"})
_ABSTRACTS_OF_MEETINGS = frozenset({"conference abstract", "meeting abstract", "meeting abstracts"})
ABSTRACT_OF_MEETING = "abstract"  # no type of Zotero's
_DAILY = frozenset({"newspaperArticle", "magazineArticle", "blogPost"})
_BOOKS = frozenset({"book", "bookSection"})


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of a record: small, so that a whole drop's sketches fit in memory. All texts are folded, empty if unknown.

    title: without what a database added to it; `letters`: that without its blanks.  marks: what kind of writing about another work it is.  numbers: of the title.
    issue: a plain number only; `whole_issue`: as it was written.  first, last: pages; `starts`: of all ranges, bare digits.  authors: family names.
    apart: what tells it from others of the same title, as `edition:2`.  isbns: nine digits each, of books.
    name: the words of the first author's whole name.  kind: the item type, or `ABSTRACT_OF_MEETING`.  What has no order of its own is sorted (an empty set takes more room
    than the rest).  abstract: its beginning without blanks, empty if too short to tell.
    """

    doi: str = ""
    pmid: str = ""
    title: str = ""
    marks: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    year: int = 0
    journal: str = ""
    issns: tuple[str, ...] = ()
    volume: str = ""
    issue: str = ""
    first: str = ""
    last: str = ""
    starts: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    initial: str = ""
    name: tuple[str, ...] = ()
    abstract: str = ""
    kind: str = ""
    letters: str = ""
    apart: tuple[str, ...] = ()
    isbns: tuple[str, ...] = ()
    whole_issue: str = ""

    @property
    def author(self) -> str:
        """The first author's family name."""
        return self.authors[0] if self.authors else ""

    @property
    def size(self) -> int:
        """How much the title says, in letters: one of Chinese counts for three."""
        return len(self.letters) if self.letters.isascii() else len(self.letters) + 2 * len(WIDE.findall(self.letters))

    @property
    def numbered(self) -> bool:
        """Whether its page is an article number."""
        return ARTICLE_NUMBER.fullmatch(self.first) is not None

    @property
    def placed(self) -> bool:
        """Whether it is known where it was printed."""
        return bool(self.volume and self.first)

    @property
    def unplaced(self) -> bool:
        """Whether nothing is known of where it was printed, but for the journal."""
        return not (self.volume or self.issue or self.whole_issue or self.first)

    @property
    def preprint(self) -> bool:
        """Whether it is a preprint: by its type, or by the server that stands for a journal."""
        return self.kind == "preprint" or _SERVERS.match(self.journal) is not None

    @property
    def cochrane(self) -> bool:
        """Whether it is a review of the Cochrane database."""
        return self.doi.startswith("10.1002/14651858.") or self.in_cochrane_database

    @property
    def in_cochrane_database(self) -> bool:
        """Whether that database is its journal."""
        return self.journal.removeprefix("the ").startswith("cochrane database")

    @property
    def in_supplement(self) -> bool:
        """Whether its page is one of a supplement."""
        return self.first[:1] == "s" and self.first[1:2].isdecimal()


def sketch(record: Record) -> Sketch:
    """The parts of a record that comparing looks at, folded."""
    title, marks = bare_title(record.title)
    journal, volume = journal_of(record.base("publicationTitle") or record.base("journalAbbreviation"))
    issue, number = issue_of(record.base("issue"))
    volume = volume_of(record.base("volume")) or volume
    first, last, starts = pages_of(record.base("pages") or number, known_volume=bool(volume))
    year = _YEAR.search(record.base("date"))
    authors, initial, name = _people(record)
    return Sketch(
        doi=doi_key(record.identifiers.get("DOI", "")),
        pmid=record.identifiers.get("PMID", ""),
        title=title,
        marks=marks,
        numbers=numbers_of(title),
        year=int(year.group()) if year else 0,
        journal=journal,
        issns=in_order(_ISSN.findall(record.base("ISSN"))),
        volume=volume,
        issue=issue,
        first=first,
        last=last,
        starts=starts,
        authors=authors,
        initial=initial,
        name=name,
        abstract=_abstract(record.base("abstractNote")),
        kind=_kind(record),
        letters=title.replace(" ", ""),
        apart=_apart(record),
        isbns=_isbns(record),
        whole_issue=whole_issue(record.base("issue")),
    )


def outline(record: Record) -> Sketch:
    """Who, what and when of a record, as its sketch has it; all else is left empty. Enough to tell whether an answer is about it."""
    title, marks = bare_title(record.title)
    year = _YEAR.search(record.base("date"))
    authors, initial, name = _people(record)
    return Sketch(
        title=title,
        marks=marks,
        numbers=numbers_of(title),
        year=int(year.group()) if year else 0,
        authors=authors,
        initial=initial,
        name=name,
        kind=_kind(record),
        letters=title.replace(" ", ""),
    )


def _apart(record: Record) -> tuple[str, ...]:
    """What tells works of one title apart, as `name:value`: edition, number, day, number in a register, signs like those of CD4+."""
    found = {
        f"{name}:{fold(value)}"
        for name in _OWN_NUMBERS.get(record.item_type, ())
        if (value := record.fields.get(name, ""))
    }
    if record.item_type in _DAILY and re.fullmatch(r"\d{4}-\d\d-\d\d", record.base("date")):
        found.add(f"day:{record.base('date')}")
    if record.item_type in _BOOKS and (edition := record.fields.get("edition", "")):
        number = re.search(r"\d+", edition)
        found |= (
            {f"edition:{number.group()}"}
            if number
            else {f"edition:{SPELT[w]}" for w in fold(edition).split() if w in SPELT}
        )
    names = " ".join(f"{one.last} {one.name}" for one in record.creators[:2])
    text = f"{record.fields.get('url', '')} {record.base('publicationTitle')} {names}"
    registered = _REGISTERED.search(text) if _FOUR_DIGITS.search(text) else None
    title = plain(record.title) if "<" in record.title or "&" in record.title else record.title
    signs = "".join(one or other for one, other in _SIGNS.findall(title)) if _SIGNED.search(title) else ""
    return in_order(
        found
        | ({f"registry:{registered.group().upper()}"} if registered else set())
        | ({f"signs:{signs}"} if signs else set())
    )


def _kind(record: Record) -> str:
    """The item type; abstracts of meetings are told apart from articles."""
    if record.item_type == "journalArticle" and record.unmapped:
        said = (fold(value) for tag, value in record.unmapped if tag in _KIND_TAGS)
        return ABSTRACT_OF_MEETING if any(value in _ABSTRACTS_OF_MEETINGS for value in said) else record.item_type
    return record.item_type


def _isbns(record: Record) -> tuple[str, ...]:
    """Of a book."""
    said = record.fields.get("ISBN", "") if record.item_type == "book" else ""
    return in_order(_ISBN.findall(re.sub(r"[ -](?=[\dX])", "", said))) if said else ()


def _people(record: Record) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Family names of the authors (of all where none is an author), the first one's initial, the words of that one's whole name."""
    people = [person for person in record.creators if person.creator_type == "author"] or list(record.creators)
    named = [(name, person) for person in people if (name := fold(person.last or person.name)) and name not in _NOBODY]
    if not named:
        return (), "", ()
    first = named[0][1]
    words = fold(f"{first.first} {first.last} {first.name}").split()
    return tuple(name for name, _ in named), fold(first.first)[:1], in_order(word for word in words if len(word) > 2)


def _abstract(said: str) -> str:
    folded = _HEADING.sub("", fold(said[: 2 * ABSTRACT])).replace(" ", "")[:ABSTRACT]
    return folded if len(folded) >= _TELLING_ABSTRACT else ""
