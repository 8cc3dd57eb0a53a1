"""Which encoding bytes are in: found, not assumed.

Order: byte order mark, strict UTF-8, the shape of UTF-16, then a statistical guess with a bias to Windows-1252 (general
detectors take short West European texts for Central European ones).
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

FALLBACK = "cp1252"
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SURE, _LIKELY = 0.9, 0.3  # confidence of the detector that counts where the fallback reads well, and where it does not
_SPARSE = 0.4  # share of letters that carry accents, above which a text is in no West European language
_ALLOWED = frozenset({"mac-roman", "cp1250", "cp1251", "gb18030", "shift-jis", "big5", "euc-jp", "euc-kr", "koi8-r"})
_WESTERN = frozenset("àáâãäåæçèéêëìíîïðñòóôõöøùúûüýßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝœŒšŠžŽ’‘“”„–—…•€£©®°±µ·«»½²³")
_CP1252_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding, the bytes of its byte order mark, and whether it was guessed."""

    encoding: str
    bom: int = 0
    guessed: bool = False


class Detector:
    """Fed with the chunks of a file; `result` once all were fed. Memory does not grow with the file."""

    def __init__(self) -> None:
        self._head = b""
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")("strict")
        self._doubtful = b""

    def feed(self, chunk: bytes) -> None:
        """One chunk, in order."""
        if not self._head:
            self._head = chunk[:65536]
        if self._utf8 is not None:
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._utf8 = None
        if self._utf8 is None and len(self._doubtful) < 65536:
            self._doubtful += b"\n".join(line for line in chunk.splitlines() if not line.isascii())[:65536]

    def result(self) -> Guess:
        """The encoding of all that was fed."""
        for mark, name in _BOMS:
            if self._head.startswith(mark):
                return Guess(name, len(mark))
        wide = _wide(self._head)
        if wide:
            return Guess(wide)
        if self._utf8 is not None:
            try:
                self._utf8.decode(b"", final=True)
            except UnicodeDecodeError:
                self._doubtful = self._doubtful or self._head
            else:
                return Guess("utf-8")
        return Guess(_statistical(self._doubtful), guessed=True)


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: half of the bytes are NUL, all on the same side."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if len(head) >= 4 and odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if len(head) >= 4 and even > half * 0.6 and odd < half * 0.1 else ""


def _statistical(sample: bytes) -> str:
    """What the detector says, if it is sure and the fallback does not fit as well."""
    import chardet  # 28 MB of memory once used: only for bytes that are in doubt

    found = chardet.detect(sample)
    name = (
        (found.get("encoding") or "")
        .lower()
        .replace("_", "-")
        .replace("windows-", "cp")
        .replace("macroman", "mac-roman")
    )
    name = {"gb2312": "gb18030", "gbk": "gb18030", "cp932": "shift-jis", "shiftjis": "shift-jis"}.get(name, name)
    sure = (found.get("confidence") or 0.0) >= (_SURE if _fits_west(sample) else _LIKELY)
    if name in _ALLOWED and sure and _fits(sample, name) and not (name == "cp1250" and _fits_west(sample)):
        return name
    return FALLBACK if _CP1252_UNDEFINED.isdisjoint(sample) else "latin-1"


def _fits(sample: bytes, name: str) -> bool:
    return "\ufffd" not in sample.decode(name, "replace")


def _fits_west(sample: bytes) -> bool:
    """Whether the bytes read as West European: accented letters and typographic signs, few among plain letters."""
    text = sample.decode(FALLBACK, "replace")
    marks = [letter for letter in text if ord(letter) > 127]
    accents, letters = sum(letter.isalpha() for letter in marks), sum(letter.isalpha() for letter in text)
    good = sum(letter in _WESTERN for letter in marks)
    return bool(marks) and good >= 0.9 * len(marks) and accents <= _SPARSE * letters
