"""Text for comparing: no markup, no diacritics, no case."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from sync.core.markup import may_hold_tags, plain

# Letters whose mark is part of them, so that NFKD leaves them whole.
_STROKES = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\u0131": "i",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
    }
)
_MOST_FOLDED = 20_000  # letters whose folding is kept in memory
_REMEMBERED = 5_000  # letters of a text of which the folded form is kept for a while


def fold(text: str) -> str:
    """The text for comparing titles: no markup, no diacritics, no case; letters and digits, one blank between words."""
    return _fold(text) if len(text) <= _REMEMBERED else _fold.__wrapped__(text)


@lru_cache(maxsize=2_000)
def _fold(text: str) -> str:
    """One record's values are compared with each other, again and again."""
    if "&" in text or ("<" in text and may_hold_tags(text)):
        text = plain(text)
    return " ".join(text.translate(_FOLDED).split())


class _Folded(dict[int, str]):
    """What is compared of each letter, by its code; found out once for each letter that occurs."""

    def __missing__(self, code: int) -> str:
        letters = unicodedata.normalize("NFKD", chr(code).casefold()).casefold().translate(_STROKES)
        bare = (c for c in letters if unicodedata.category(c)[0] != "M")
        folded = "".join(c if c.isalnum() else " " for c in bare)
        if len(self) < _MOST_FOLDED:
            self[code] = folded
        return folded


_FOLDED = _Folded()
