"""What is compared of a title: its words without what databases put around them, what marks it as a notice or a reply, its numbers.

The quirks that are undone here were met in the exports of systematic reviews: titles that end in "[Erratum appears in ...]" or
"[Review] [33 refs]", Greek letters and their names, numbers in words.
"""

# ruff: noqa: SIM905  # lists of words read better as words

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from sync.core.folding import fold
from sync.core.markup import plain

_DIGITS = re.compile(r"\d+")
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
# What journals call a notice of errors; whose it is (`Author correction`) stays, and so does one of another.
_ERRORS = r"(?:erratum|errata|corrigend(?:um|a)|corrections?)\b"
_OF_ERRORS = re.compile(rf"^{_ERRORS}(?: (?:to|in|for))? (?!{_ERRORS})(?=\w)")
_OF_NOTICE = re.compile(rf"^{_ERRORS}(?: (?:to|in|for))? {_ERRORS}")
_MARKS: Mapping[str, re.Pattern[str]] = {
    "notice of a notice": _OF_NOTICE,
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
WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)  # letters that say as much as a syllable or a word
_MOST_GREEK = 5  # letters; with more the title is in Greek
# Words without one of which a title bears no mark, and beginnings that bear one too.
_MARKING = frozenset(
    "erratum errata corrigendum corrigenda correction corrections addendum retraction expression notice withdrawal re reply response letter"
    " letters comment comments commentary discussion rebuttal protocol protocols abstract abstracts".split()
)
_MARKING_HEADS = ("in reply", "author", "rebuttal", "letter", "comment")
_SHORTEST_TITLE = 10


@lru_cache(maxsize=1_000)
def bare_title(said: str) -> tuple[str, tuple[str, ...]]:
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
    return folded, in_order(marks | {"notice"} if cites else marks)


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
def numbers_of(title: str) -> tuple[str, ...]:
    """The numbers of a title, however they are written: `part II`, `two` and `2` are `2`."""
    digits = [number.lstrip("0") or "0" for number in _DIGITS.findall(title)]
    if _COUNTING.isdisjoint(title.split(" ")):
        return tuple(sorted(digits))
    parts = {found.start(1): found[1] for found in _PART.finditer(title)}
    others = {found.start(): found[0] for found in (*_ROMAN.finditer(title), *_NUMBER_WORD.finditer(title))}
    return tuple(sorted([*digits, *(SPELT.get(word, word) for word in {**others, **parts}.values())]))


def in_order(words: Iterable[str]) -> tuple[str, ...]:
    """The words, each once, in an order of their own; of none nothing is held (an empty set takes more room than a record's other parts)."""
    return tuple(sorted(set(words)))
