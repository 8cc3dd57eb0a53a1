"""Capitals and small letters: titles in title case, names in capitals."""

from __future__ import annotations

import re

# Words that stay small inside a title in title case.
_SMALL_ROWS = (
    "a an and as at but by for from in into nor of on or per so the to up via versus with within without yet",  # English
    "d de del della delle des di do dos du e el en et la las le les los y",  # French, Spanish, Italian, Portuguese
    "und der die das fur für van voor",  # German, Dutch
)
_SMALL = frozenset(word for row in _SMALL_ROWS for word in row.split())


def title_case(title: str) -> str:
    """Words that are all small get a capital, except small words between others; whatever has a capital stays."""
    words = title.split(" ")
    for number, word in enumerate(words):
        opens = number in {0, len(words) - 1} or words[number - 1][-1:] in ":?!="
        if word == word.lower() and (opens or re.split(r"['\u2019]", word)[0] not in _SMALL):
            words[number] = re.sub(
                r"(?:^[\"'(\u2018\u201c]*|(?<=-))[^\W\d_](?!-)", lambda letter: letter.group().upper(), word, count=1
            )
    return " ".join(words)
