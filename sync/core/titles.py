"""Two titles: how alike they are, and what in them makes them those of two works. Symmetric."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from enum import IntEnum

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from sync.core.headings import GREEK_NAMES, SPELT, WIDE
from sync.core.sketch import Sketch

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
_LONG_WORD = 9  # letters from which one inside the word may be mistaken: shorter ones name a salt and its like, `sulfate`, `sulfite`
_SPELLINGS = (("ae", "e"), ("oe", "e"), ("ph", "f"))  # of one word, British and American
_NEGATIONS = frozenset({"without", "not", "non", "un"})
_PAIRS = """
    maternal/paternal mother/father mothers/fathers male/female males/females men/women boys/girls adult/child
    adults/children with/without pre/post hyper/hypo inter/intra intra/extra high/low higher/lower
    increased/decreased increase/decrease positive/negative early/late acute/chronic short/long left/right
    upper/lower benign/malignant single/double type1/type2 hyperthyroidism/hypothyroidism hypertension/hypotension
    hyperglycemia/hypoglycemia hyperglycaemia/hypoglycaemia prenatal/postnatal preoperative/postoperative
    inpatient/outpatient inpatients/outpatients unilateral/bilateral assessment/treatment ireland/iceland
    agonist/antagonist agonists/antagonists austria/australia urban/rural internal/external primary/secondary
"""
_OPPOSITES = frozenset(frozenset(pair.split("/")) for pair in _PAIRS.split())
# Heads that make another word of a stem: each of these stands against the bare stem, ...
_WITH_STEM = """
    un non nor in im il ir dis mis de re co a an anti pre post sub peri semi extra intra inter over under
"""
_MORE = frozenset(_WITH_STEM.split())
# ... and these against each other.
_HEADS = """
    ab/ad affer/effer im/e in/ex en/ex endo/exo endo/ecto endo/epi macro/micro hyper/hypo hyper/hyp hyper/normo hypo/normo
    pre/post pre/peri peri/post ante/post ante/retro sub/supra sub/super infra/supra inter/intra intra/extra intra/trans in/out
    in/de over/under up/down north/south east/west north/east north/west south/east south/west homo/hetero auto/allo allo/xeno
    mono/poly mono/bi mono/di uni/bi uni/multi single/multi bi/tri di/tri tri/tetra mini/maxi pro/anti tachy/brady
"""
_AGAINST = tuple(tuple(pair.split("/")) for pair in _HEADS.split())
_STEM, _WHOLE_STEM = 3, 5  # letters, from which a stem is one, and one that is a word by itself
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


class Wording(IntEnum):
    """How far the words of two titles are apart: the worst of them counts.

    SAME: but for hyphens and Greek letters.  MISSPELT: a letter is missing, letters changed places, or words stand in one only.
    REPLACED: a word stands where the other has one that resembles it: Mali and Bali, cisplatin and carboplatin.
    OPPOSED: a word stands where the other has quite another: hepatitis B and C, men and women, treated and untreated.
    """

    SAME = 0
    MISSPELT = 1
    REPLACED = 2
    OPPOSED = 3


def wording(one: Sketch, other: Sketch) -> Wording:
    """How far the words are apart, in whichever order they are laid side by side: what differs in one counts."""
    wide = WIDE.search(one.title) and WIDE.search(other.title)
    mine, theirs = (
        [SPELT.get(word, word) for word in (each.letters if wide else each.title.split())[:_MOST_WORDS]]
        for each in (one, other)
    )
    return max((*_apart(mine, theirs), *_apart(theirs, mine)), default=Wording.SAME)


def begin_alike(one: Sketch, other: Sketch) -> bool:
    """Whether the beginnings are the same."""
    return one.letters[:_CUT_HEAD] == other.letters[:_CUT_HEAD]


def companion(one: Sketch, other: Sketch) -> bool:
    """Whether what one title, the head or the end of the other, lacks is that of another paper about the same: its design, its costs."""
    return _COMPANION.search(_rest(one, other)) is not None


def _apart(one: list[str], other: list[str]) -> Iterator[Wording]:
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "replace":
            yield _of_words("".join(one[i1:i2]), "".join(other[j1:j2]))
        elif kind != "equal":
            yield Wording.OPPOSED if _NEGATIONS & {*one[i1:i2], *other[j1:j2]} else Wording.MISSPELT


def _of_words(one: str, other: str) -> Wording:
    if one == other or _less_greek(one, other):
        return Wording.SAME
    if _NEGATIONS & {one, other}:
        return Wording.OPPOSED
    if {one, other} & SMALL and fuzz.ratio(one, other) >= _MISSPELT / 2:
        return Wording.MISSPELT
    if sorted(one) == sorted(other):  # letters that changed places; causal and casual, too
        return Wording.MISSPELT
    short = max(len(one), len(other)) <= _SHORT_WORD
    if short or fuzz.ratio(one, other) < _MISSPELT or _are_opposites(one, other):
        return Wording.OPPOSED
    return Wording.MISSPELT if _is_slip(one, other) else Wording.REPLACED


def _are_opposites(one: str, other: str) -> bool:
    if frozenset((one, other)) in _OPPOSITES:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) >= _WHOLE_STEM and long.endswith(short):
        return long.removesuffix(short) in _MORE
    return any(_are_headed(*words, *heads) for words in ((one, other), (other, one)) for heads in _AGAINST)


def _are_headed(one: str, other: str, head: str, other_head: str) -> bool:
    """Whether the words are one stem with these heads."""
    if not one.startswith(head) or not other.startswith(other_head):
        return False
    stem = one.removeprefix(head)
    return len(stem) >= _STEM and stem == other.removeprefix(other_head)


def _is_slip(one: str, other: str) -> bool:
    """Whether one is the other misspelt: a letter behind the first one is missing, or, of a long word, another."""
    for british, american in _SPELLINGS:
        one, other = one.replace(british, american), other.replace(british, american)
    if one == other:
        return True
    if one[0] != other[0] or OSA.distance(one, other) > 1:
        return False
    return len(one) != len(other) or len(one) >= _LONG_WORD


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
