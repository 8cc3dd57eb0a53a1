"""Two titles: how alike they are, and what in them makes them those of two works. Symmetric."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from rapidfuzz import fuzz

from sync.core.sketch import GREEK_NAMES, SPELT, WIDE, Sketch

SMALL = frozenset(
    "a an and as at by das de del der des di die du e el en et for from fur in la las le les los of on or the to und van with y zu".split()  # noqa: SIM905
)
# What follows a title that is otherwise the same and makes it another work's.
_SERIES = re.compile(
    r"\b(?:part|phase|paper|study|stage|no|number|volume) (?:[ivx]+|\d+|one|two|three|four|[a-d])\b|^ *(?:[ivx]+|\d{1,2})\b"
    r"|\b(?:[ivx]{2,}|i)$|\b(?:correction|erratum|reply|comment|protocol|follow up)\b"
)
_COMPANION = re.compile(
    r"\b(?:economic (?:evaluation|analysis)|cost (?:effectiveness|utility)|rationale|(?:study|trial) design|design (?:of|and)|statistical analysis"
    r"|responses?|editorial|discussion|qualitative findings|(?:process|secondary|subgroup|post hoc|interim) (?:evaluation|analysis|analyses)"
    r"|baseline (?:data|characteristics|findings))\b"
)
_MISSPELT = 60.0  # percent of equal letters from which one word of a title may be the other, misspelt
_SHORT_WORD = 2  # letters
_NEGATIONS = frozenset({"without", "not", "non", "un"})
_PAIRS = """
    maternal/paternal mother/father mothers/fathers male/female males/females men/women boys/girls adult/child
    adults/children with/without pre/post hyper/hypo inter/intra intra/extra high/low higher/lower
    increased/decreased increase/decrease positive/negative early/late acute/chronic short/long left/right
    upper/lower benign/malignant single/double type1/type2 hyperthyroidism/hypothyroidism hypertension/hypotension
    hyperglycemia/hypoglycemia hyperglycaemia/hypoglycaemia prenatal/postnatal preoperative/postoperative
    inpatient/outpatient inpatients/outpatients unilateral/bilateral assessment/treatment ireland/iceland
    austria/australia urban/rural internal/external primary/secondary
"""
_OPPOSITES = frozenset(frozenset(pair.split("/")) for pair in _PAIRS.split())
_MOST_WORDS = 300  # of a title that are compared one by one
_CUT_HEAD, _CUT_TAIL = 20, 25  # letters from which a title is surely the head, or the end, of a longer one


def titles(one: Sketch, other: Sketch) -> tuple[float, bool]:
    """How much of the letters is the same (0 to 1), and whether one title is the head or the end of the other."""
    short, long = one.letters, other.letters
    if short == long:
        return 1.0, False
    if len(short) > len(long):
        short, long = long, short
    ratio = fuzz.ratio(short, long) / 100
    if len(short) >= _CUT_HEAD and long.startswith(short):
        return max(ratio, 0.95), True
    if len(short) >= _CUT_TAIL and long.endswith(short):
        return max(ratio, 0.9), True
    return ratio, False


def numbers_differ(one: Sketch, other: Sketch, title: float, *, cut: bool) -> bool:
    """Whether the numbers of the titles make them two works: `part I` and `part II`, 2019 and 2020."""
    if title == 1:
        return False
    if not cut:
        return one.numbers != other.numbers
    if _SERIES.search(_rest(one, other)):
        return True
    mine, theirs = set(one.numbers), set(other.numbers)
    return not (mine <= theirs or theirs <= mine)


def opposed(one: Sketch, other: Sketch) -> bool:
    """Whether a word of one title stands where the other has quite another: hepatitis B and C, men and women, with and without."""
    wide = WIDE.search(one.title) and WIDE.search(other.title)
    mine, theirs = (each.letters if wide else each.title.split() for each in (one, other))
    return _words_differ([SPELT.get(word, word) for word in mine], [SPELT.get(word, word) for word in theirs])


def begin_alike(one: Sketch, other: Sketch) -> bool:
    """Whether the beginnings are the same."""
    return one.letters[:_CUT_HEAD] == other.letters[:_CUT_HEAD]


def companion(one: Sketch, other: Sketch) -> bool:
    """Whether what one title, the head or the end of the other, lacks is that of another paper about the same: its design, its costs."""
    return _COMPANION.search(_rest(one, other)) is not None


def _words_differ(one: list[str], other: list[str]) -> bool:
    one, other = sorted((one, other))  # which words are laid side by side may hang on who comes first
    for kind, i1, i2, j1, j2 in SequenceMatcher(
        None, one[:_MOST_WORDS], other[:_MOST_WORDS], autojunk=False
    ).get_opcodes():
        if kind == "equal":
            continue
        mine, theirs = "".join(one[i1:i2]), "".join(other[j1:j2])
        if kind != "replace":
            if _NEGATIONS & {*one[i1:i2], *other[j1:j2]}:
                return True
            continue
        if mine == theirs or _less_greek(mine, theirs):
            continue
        if _NEGATIONS & {mine, theirs}:
            return True
        if {mine, theirs} & SMALL and fuzz.ratio(mine, theirs) >= _MISSPELT / 2:
            continue
        if sorted(mine) == sorted(theirs):  # letters that changed places
            continue
        short = max(len(mine), len(theirs)) <= _SHORT_WORD
        if short or fuzz.ratio(mine, theirs) < _MISSPELT or frozenset((mine, theirs)) in _OPPOSITES:
            return True
    return False


def _less_greek(one: str, other: str) -> bool:
    """Whether one is the other without a Greek letter's name, or with a sign in its place: `nfb` for `nfkappab`, `a` for `alpha`."""
    mine, theirs = (GREEK_NAMES.sub("", word) for word in (one, other))
    only_one = (mine == one) != (theirs == other)
    return only_one and (mine == theirs or (len(mine) <= 1 and len(theirs) <= 1))


def _rest(one: Sketch, other: Sketch) -> str:
    """What the longer title has before or behind the shorter one."""
    short, long = sorted((one, other), key=lambda each: (len(each.letters), each.letters))
    if not long.letters.startswith(short.letters):
        return long.title[: len(long.title) - len(short.title)]
    left = len(short.letters)
    for place, letter in enumerate(long.title):
        if not left:
            return long.title[place:]
        left -= letter != " "
    return ""
