"""What is compared of a record, folded once: title and what marks it, people, place, identifiers, the beginning of its abstract.

The quirks that are undone here were met in the exports of systematic reviews: titles that end in "[Erratum appears in ...]" or
"[Review] [33 refs]", journals that carry the whole citation ("PLoS ONE.9 (4) (no pagination) 2014"), pages that a spreadsheet made a
date ("05-Jun"), article numbers in the issue.
"""

# ruff: noqa: SIM905  # lists of words read better as words

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sync.core.dates import month_number
from sync.core.folding import fold
from sync.core.identifiers import doi_key
from sync.core.markup import plain
from sync.core.record import Record

GENERIC = 18  # letters: a title with fewer is one that many works bear
ABSTRACT = 300  # letters of an abstract that are compared
_TELLING_ABSTRACT = 60

# ---- titles
# What databases put in brackets behind a title: kinds of writing, notices that appeared about it, references, languages.
_TAIL_WORDS = "erratum errata retract\\w* comment\\w* review refs? references letter editorial see published corrected summary abstract proceeding"
_LANGUAGE = (
    "(?:arabic|chinese|czech|danish|dutch|english|finnish|french|german|greek|hebrew|hungarian|italian|japanese|korean|norwegian|persian"
    "|polish|portuguese|romanian|russian|serbian|slovak|spanish|swedish|turkish|ukrainian)"
)
_TAIL = re.compile(
    rf".*\b(?:{'|'.join(_TAIL_WORDS.split())}|conference paper|article in press)\b.*|\d+ refs?"
    rf"|{_LANGUAGE}(?:(?:, | and | ?/ ?|; ?){_LANGUAGE}){{0,3}}",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_TAIL = 300
# A long one may be all of the title, translated: "Wirkung von ... [Effect of ...: a review]", if `review` is all that it has of these words.
_LONG_TAIL = 60
_NOTED = re.compile(
    rf"\b(?:{'|'.join(word for word in _TAIL_WORDS.split() if word != 'review')}|conference paper|article in press|(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
# A bracket that says nothing but this is no database's word about the article: it is what the article is.
_MARK_WORDS = frozenset(
    {"erratum", "errata", "correction", "corrigendum", "addendum", "retraction", "protocol", "response", "reply"}
    | {"author reply", "authors reply", "author response", "authors response"}
)
# A title that ends in the citation of another article is a notice about that one.
_CITES = re.compile(
    r"\s*[\[(](?:[^()\[\]]{0,150}\((?:19|20)\d\d\)|vol\.? \d+|(?=[^()]{0,150}[a-z]{2})[^()]{0,150}\b(?:19|20)\d\d[;:, ]+\d+).{0,80}$",
    re.IGNORECASE | re.DOTALL,
)
_TAKEN_BACK = re.compile(
    r"^(?:(?:article )?(?:retracted|withdrawn)(?: (?:article|paper|chapter))?|temporary removal|removed) "
)
# What journals call a notice of errors; whose it is (`Author correction`) stays.
_OF_ERRORS = re.compile(r"^(?:erratum|errata|corrigend(?:um|a)|corrections?)(?: (?:to|in|for))? (?=\w)")
_MARKS: Mapping[str, re.Pattern[str]] = {
    "notice": re.compile(
        r"更正|勘误|勘誤|撤稿|"
        r"^(?:erratum|errata|corrigend(?:um|a)|corrections?|(?:author|publisher) correction|addendum|retraction|expression of concern"
        r"|notice of retraction|withdrawal)\b|\b(?:erratum|corrigendum|correction|retraction)$|\b(?:erratum|corrigendum|correction)"
        r" (?:to|in|for)\b|^\w+ erratum\b"
    ),
    "reply": re.compile(
        r"^(?:re |reply\b|in reply|response to\b|authors? (?:response|reply)|letter to\b|letters? |comments? |commentary\b|comment on"
        r"|invited commentary|discussion of|rebuttal)|\b(?:reply|authors? reply|authors? response|comment|commentary|rebuttal)$|\breply to\b"
    ),
    "protocol": re.compile(r"\bprotocols?\b"),
    "abstracts": re.compile(r"^abstracts? (?:of|from|presented)\b"),
}
_COUNTED = {
    word: str(number)
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
}
_ORDINALS = {
    word: str(number)
    for number, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1)
}
_ROMANS = {word: str(number) for number, word in enumerate("i ii iii iv v vi vii viii ix x xi xii".split(), 1)}
SPELT = {**_COUNTED, **_ORDINALS, **_ROMANS}
_PARTS = (
    "part phase paper volume chapter study stage session number no type grade version edition module arm cohort experiment trial lesson book"
    " section teil parte partie"
).split()
_PART = re.compile(rf"\b(?:{'|'.join(_PARTS)}) ([a-z]|[ivx]+|" + "|".join([*_COUNTED, *_ORDINALS]) + r")\b")
_ROMAN = re.compile(r"\b(?:ii|iii|iv|vi|vii|viii|ix|xi|xii)\b|\b(?:v|x)$")
_NUMBER_WORD = re.compile(r"\b(?:" + "|".join(list(_COUNTED)[1:]) + r")\b")
_COUNTING = frozenset((*SPELT, *_PARTS))  # words without one of which a title counts with digits alone
_GREEK_LETTERS = "αβγδεζηθκλμπρσςτφχψω"
_GREEK_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu pi rho sigma sigma tau phi chi psi omega".split()
)
_GREEK = str.maketrans(dict(zip(_GREEK_LETTERS, _GREEK_WORDS, strict=True)))
GREEK_NAMES = re.compile("var(?:epsilon|phi)|" + "|".join(word for word in _GREEK_WORDS if len(word) > 3))
_MOST_GREEK = 5  # letters; with more the title is in Greek
# Words without one of which a title bears no mark, and beginnings that bear one too.
_MARKING = frozenset(
    "erratum errata corrigendum corrigenda correction corrections addendum retraction expression notice withdrawal re reply response letter"
    " letters comment comments commentary discussion rebuttal protocol protocols abstract abstracts".split()
)
_MARKING_HEADS = ("in reply", "author", "rebuttal", "letter", "comment")
_SIGNS = re.compile(r"[A-Z\d]([+-])(?=[\s,;:)]|$)|([<>\u2264\u2265])\s*\d")
_FOUR_DIGITS = re.compile(r"\d{4}")
_SIGNED = re.compile(r"[+<>\u2264\u2265]|-[\s,;:)]|-$")
WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)  # letters that say as much as a syllable or a word
# Numbers of trials in registers.
_REGISTERED = re.compile(
    r"\b(?:NCT\d{8}|ISRCTN\d{8}|ACTRN\d{14}|DRKS\d{8}|EUCTR\d{4}-\d{6}-\d{2}|ChiCTR[\w-]+|CTRI/\d{4}/\d+/\d+|IRCT\w+|UMIN\d{9})",
    re.IGNORECASE,
)

# ---- places
_CONFERENCE = re.compile(r"\.?\s*Conference:.*$", re.DOTALL)
_CITATION = re.compile(
    r"\.\s*(\d+)?\s*(?:\([^)]*\)|[A-Z][a-z]+ \d+)?[ ,]*(?:\(\)|\(pp?\b|\(no pag|\(Suppl|\(var|Date of Pub|\d{4}\.).*$",
    re.IGNORECASE | re.DOTALL,
)
_BRACKETS = re.compile(r"\s*[\[(][^\])]*[\])]")
_DIGITS = re.compile(r"\d+")
_HALF_BRACKET, _PLAIN_ISSUE = re.compile(r"\s*\d+\)"), re.compile(r"\d{1,2}")
_DASHES, _PAGES_WORD = re.compile(r"--|[\u2010-\u2015\u2212]"), re.compile(r"^(?:pp?\.?|pages?)\s*")
_PAGE_LISTS, _ROMAN_PAGE = re.compile(r"[,;+]"), re.compile(r"[ivxlc]+")
_NO_PAGE = frozenset({"t", "suppl", "s", "n", "na", "n/a", "no", "pagination"})
_LETTERED = re.compile(r"(?:[a-z]{0,2}|[ivxl]+)(\d+)[a-z]?")
_NUMBER_IN_ISSUE = re.compile(r"[a-z]+\d{3,}|cd\d+")
ARTICLE_NUMBER = re.compile(r"e\d{2,}|[a-z]{1,3}\d{4,}|cd\d+|\d{5,}")
_DATE_LIKE = (
    re.compile(r"(?P<number>\d{1,2})-(?P<month>[a-z]{3})"),
    re.compile(r"(?P<month>[a-z]{3})-(?P<number>\d{1,2})"),
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
_SHORTEST_TITLE = 10
_ISSUE_WORDS = {"supplement": "suppl", "supp": "suppl", "part": "pt", "no": "", "issue": "", "number": ""}


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of a record: small, so that a whole drop's sketches fit in memory. All texts are folded, empty if unknown.

    title: without what a database added to it; `letters`: that without its blanks.  marks: what kind of writing about another work it is.  numbers: of the title.
    issue: a plain number only; `whole_issue`: as it was written.  first, last: pages; `starts`: of all ranges, bare digits.  authors: family names.
    apart: what tells it from others of the same title, as `edition:2`.  isbns: nine digits each, of books.
    name: the words of the first author's whole name. What has no order of its own is sorted (an empty set takes more room than the rest).  abstract: its beginning without blanks, empty if too short to tell.
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
    title, marks = _title(record.title)
    journal, volume = _journal(record.base("publicationTitle") or record.base("journalAbbreviation"))
    issue, number = _issue(record.base("issue"))
    volume = _volume(record.base("volume")) or volume
    first, last, starts = _pages(record.base("pages") or number, known_volume=bool(volume))
    year = _YEAR.search(record.base("date"))
    authors, initial, name = _people(record)
    return Sketch(
        doi=doi_key(record.identifiers.get("DOI", "")),
        pmid=record.identifiers.get("PMID", ""),
        title=title,
        marks=marks,
        numbers=_numbers(title),
        year=int(year.group()) if year else 0,
        journal=journal,
        issns=_sorted(_ISSN.findall(record.base("ISSN"))),
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
        whole_issue=_whole_issue(record.base("issue")),
    )


def outline(record: Record) -> Sketch:
    """Who, what and when of a record, as its sketch has it; all else is left empty. Enough to tell whether an answer is about it."""
    title, marks = _title(record.title)
    year = _YEAR.search(record.base("date"))
    authors, initial, name = _people(record)
    return Sketch(
        title=title,
        marks=marks,
        numbers=_numbers(title),
        year=int(year.group()) if year else 0,
        authors=authors,
        initial=initial,
        name=name,
        kind=_kind(record),
        letters=title.replace(" ", ""),
    )


@lru_cache(maxsize=1_000)
def _title(said: str) -> tuple[str, tuple[str, ...]]:
    """The title without what a database put behind it, and the marks of a notice, a reply, a protocol."""
    title = plain(said) if "<" in said or "&" in said else said.strip()
    for _ in range(3):
        title = _without_tail(title)
    cited = _CITES.search(title) if "(" in title or "[" in title else None
    cites = cited is not None and cited.start() >= 15
    folded = _TAKEN_BACK.sub("", fold(title[: cited.start()] if cited and cites else title))
    if not folded.isascii() and sum("α" <= letter <= "ω" for letter in folded) <= _MOST_GREEK:
        folded = folded.translate(_GREEK)
    folded = _OF_ERRORS.sub("erratum ", folded)
    marks = {mark for mark, pattern in _MARKS.items() if pattern.search(folded)} if _may_be_marked(folded) else set()
    return folded, _sorted(marks | {"notice"} if cites else marks)


def _may_be_marked(folded: str) -> bool:
    """Whether it is worth looking for marks: most titles have no word of which they are made."""
    return not folded.isascii() or not _MARKING.isdisjoint(folded.split()) or folded.startswith(_MARKING_HEADS)


def _without_tail(title: str) -> str:
    """The title without the bracket at its end, if that is a database's."""
    bare = title.rstrip(". ")
    start = bare.rfind({")": "(", "]": "["}.get(bare[-1:], "\0"))
    said = bare[start + 1 : -1]
    if start < _SHORTEST_TITLE or len(said) > _LONGEST_TAIL or not _TAIL.fullmatch(said) or fold(said) in _MARK_WORDS:
        return title
    if len(said) > _LONG_TAIL and not _NOTED.search(said):
        return title
    return title[:start].rstrip()


@lru_cache(maxsize=1_000)
def _numbers(title: str) -> tuple[str, ...]:
    """The numbers of a title, however they are written: `part II`, `two` and `2` are `2`."""
    digits = [number.lstrip("0") or "0" for number in _DIGITS.findall(title)]
    if _COUNTING.isdisjoint(title.split(" ")):
        return tuple(sorted(digits))
    parts = {found.start(1): found[1] for found in _PART.finditer(title)}
    others = {found.start(): found[0] for found in (*_ROMAN.finditer(title), *_NUMBER_WORD.finditer(title))}
    return tuple(sorted([*digits, *(SPELT.get(word, word) for word in {**others, **parts}.values())]))


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
    return _sorted(
        found
        | ({f"registry:{registered.group().upper()}"} if registered else set())
        | ({f"signs:{signs}"} if signs else set())
    )


@lru_cache(maxsize=20_000)
def _journal(said: str) -> tuple[str, str]:
    """The journal's name alone, and the volume where the name carries the whole citation."""
    if said.lower().startswith(("http:", "https:", "www.")):
        return "", ""
    name, volume = _CONFERENCE.sub("", said[:_LONGEST_TAIL]), ""
    cited = _CITATION.search(name)
    if cited and cited.start() >= 3:
        name, volume = name[: cited.start()], cited.group(1) or ""
    bare = _BRACKETS.sub("", name)
    return fold(bare if len(bare) > 2 else name), volume.lstrip("0")


def _volume(said: str) -> str:
    """The number alone; half a bracket (`2)`) is the rest of a supplement."""
    if ")" in said and _HALF_BRACKET.match(said):
        return ""
    words = [word for word in fold(said).split() if word not in {"vol", "volume", "v"}]
    return words[0].lstrip("0") if words else ""


def _issue(said: str) -> tuple[str, str]:
    """The issue where it is a plain number, and the article number that some put there."""
    words = fold(said).split()
    if not words:
        return "", ""
    if words[0] == "article":
        return "", words[-1]
    number = words[0].lstrip("0")
    return (number if _PLAIN_ISSUE.fullmatch(number) else ""), (number if _NUMBER_IN_ISSUE.fullmatch(number) else "")


def _kind(record: Record) -> str:
    """The item type; abstracts of meetings are told apart from articles."""
    if record.item_type == "journalArticle" and record.unmapped:
        said = (fold(value) for tag, value in record.unmapped if tag in _KIND_TAGS)
        return ABSTRACT_OF_MEETING if any(value in _ABSTRACTS_OF_MEETINGS for value in said) else record.item_type
    return record.item_type


def _isbns(record: Record) -> tuple[str, ...]:
    """Of a book."""
    said = record.fields.get("ISBN", "") if record.item_type == "book" else ""
    return _sorted(_ISBN.findall(re.sub(r"[ -](?=[\dX])", "", said))) if said else ()


def _whole_issue(said: str) -> str:
    """The issue with its words (`Suppl 1`), in any order; empty for a plain number."""
    if not said or said.isdecimal():
        return ""
    words = [_ISSUE_WORDS.get(word, word) for word in fold(said).split()]
    return " ".join(sorted(filter(None, words))) if any(word[:1].isalpha() for word in words) else ""


def _pages(said: str, *, known_volume: bool) -> tuple[str, str, tuple[str, ...]]:
    """First and last page, and where each range begins. `1-6` without a volume says nothing: every preprint has it."""
    text = _DASHES.sub("-", said.strip().lower().strip('"'))
    text = _PAGES_WORD.sub("", text)
    ranges = [found for part in _PAGE_LISTS.split(text) if part.strip() and (found := _range(part.strip()))[0]]
    if not ranges or (ranges[0][0] == "1" and not known_volume):
        return "", "", ()
    return *ranges[0], _sorted(_bare(first) for first, _ in ranges)


def _range(said: str) -> tuple[str, str]:
    for shape in _DATE_LIKE:
        found = shape.fullmatch(said)
        if found and (month := month_number(found["month"])):
            pages = (found["number"], str(month))
            said = "-".join(pages if found.start("number") == 0 else pages[::-1])
            break
    first, _, last = (part.strip("- ").split(" ")[0] for part in said.partition("-"))
    if first in _NO_PAGE:
        return "", ""
    first, last = first.lstrip("0"), last.lstrip("0")
    if first.isdecimal() and last.isdecimal() and len(last) < len(first):
        last = first[: len(first) - len(last)] + last
    is_page = _DIGITS.search(first) or _ROMAN_PAGE.fullmatch(first)
    return (first, last) if is_page else ("", "")


def _bare(page: str) -> str:
    found = _LETTERED.fullmatch(page)
    return found.group(1) if found else page


def _people(record: Record) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Family names of the authors (of all where none is an author), the first one's initial, the words of that one's whole name."""
    people = [person for person in record.creators if person.creator_type == "author"] or list(record.creators)
    named = [(name, person) for person in people if (name := fold(person.last or person.name)) and name not in _NOBODY]
    if not named:
        return (), "", ()
    first = named[0][1]
    words = fold(f"{first.first} {first.last} {first.name}").split()
    return tuple(name for name, _ in named), fold(first.first)[:1], _sorted(word for word in words if len(word) > 2)


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _abstract(said: str) -> str:
    folded = _HEADING.sub("", fold(said[: 2 * ABSTRACT])).replace(" ", "")[:ABSTRACT]
    return folded if len(folded) >= _TELLING_ABSTRACT else ""
