"""Which encoding bytes are in: found, not assumed.

Order: byte order mark, strict UTF-8, the shape of UTF-16, then plausibility: the bytes that are no UTF-8 are read in every encoding that
exports are seen in, and the reading wins whose letters are those of one language, stand where letters stand and have the case they
should have. Names and titles give a few letters only, so that the frequencies of general detectors say little here: they take short
West European texts for Central European ones.

A file may mix encodings, one program's records in UTF-8 and another's not: `decode` looks at each record.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

FALLBACK = "cp1252"
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SAMPLE = 65536  # bytes that are looked at
_ENOUGH = _SAMPLE // 10  # lines in UTF-8; however many others there are in a sample, these are then more than a tenth
_BLOCK = 2048  # bytes that are looked at together
_PLAUSIBLE = 0.55  # a reading below is none; one wrong letter in two

# Letters beyond ASCII of the languages that an encoding is used for. `*` is any of them together, which says less.
_WEST = {
    "fr": "àâæçéèêëîïôœùûüÿ",
    "de": "äöüß",
    "es": "áéíñóúü",
    "pt": "ãáàâçéêíóôõúü",
    "da": "æøåéö",
    "sv": "åäöéü",
    "it": "àèéìòùí",
    "nl": "éëïöüèä",
    "ca": "àçèéíïòóúü",
    "is": "áðéíóúýþæö",
}
_WEST["*"] = "".join(letters for language, letters in _WEST.items() if language != "is") + "šž"
_CENTRAL = {
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "hu": "áéíóöőúüű",
    "ro": "ăâîşţ",
    "hr": "čćđšž",
}
_CENTRAL["*"] = "".join(_CENTRAL.values())
_TURKISH = {"tr": "çğıöşüâîi\u0307"}
# Of other scripts, the letters that most words are made of: every letter of the script would fit every reading.
_CYRILLIC = {"ru": "оеаинтсрвлкмдпуя", "uk": "оаинтівесркдлмупя"}
_GREEK = {"el": "αοιετνσςρηυκλμωπγάόίέήύώδ"}
_LANGUAGES = {
    "cp1252": _WEST,
    "mac-roman": _WEST,
    "cp1250": _CENTRAL,
    "iso8859-2": _CENTRAL,
    "cp1254": _TURKISH,
    "cp1251": _CYRILLIC,
    "koi8-r": _CYRILLIC,
    "cp1253": _GREEK,
}
# The letters that half of every text consists of.
_FREQUENT = {
    "gb18030": "的一是不了在人有我他这中大来上国和地到以说时要就出会可也对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运研究疗效评价患者临床杂志医药睡眠质量",
    "big5": "的一是不了在人有我他這中大來上國和地到以說時要就出會可也對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日者意無力與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應向頭文體政美相見被利什二等產或新制身果加西月話合回特代內信表化老給世位次度門任常先海通教原東聲提立及比員解水名真論處走義各入口認條平系氣題活更別女變四總何電數安少報才結反受目太量再感建務接必場件計管期市直資金指統區保至形社治展科司五基書非則研究療效評價患者臨床雜誌醫藥睡眠質量",
    "euc-kr": "이다의에는을가한지고하기사로정대인자리어서시도아스나수부성상해보전과일제여치원비구장주유계동조관그라적들만소연게공모면용방요경신오마세안위를학개진실국교문분생내회음석행선김발무효질체중건법있으은박민임운환노년간호",
}  # fmt: skip
_FREQUENT["shift-jis"] = _FREQUENT["euc-jp"] = (
    "日本学会誌医大中田太郎鈴木花子山川井上村佐藤高橋伊東京都研究科病院教室人年的性者生活質量評価系統療法看護心理社雑論文報告集"
)
_KANA = ("ぁ", "ヿ")
_WIDE_SIGNS = "。、；：，．・「」『』（）《》？！ー—…～　“”‘’·"
_SIGNS = "’‘“”„–—…•€©®°±µ·«»½¼²³§¿¡ºª™×†‡´‚\u00a0"
_INSIDE_WORDS = "’·–—‘\u00a0"
_BEFORE_WORDS = "¿¡«“‘„‚–—’…\u00a0•©µ"
_COMMON_SIGNS = "’‘“”„–—…•©®±°·«»"
_LONE = "àáâäåæèéêíìîóòôöøúùýуиваокся"  # letters that are words by themselves
_JAPANESE = ("shift-jis", "euc-jp")
_WIDE = ("gb18030", "big5", "shift-jis", "euc-jp", "euc-kr")
_ONLY_BEFORE = {
    "õ": "ea",
    "È": " ,.;",
    "æ": "bcdefghijklmnopqrstuvwxyzø",
    "ã": "oestnu ,.;:)-",
    "ì": " ,.;:)\r\n",
    "ù": " ,.;:)\r\n",
    "Ì": " ",
}  # what these are followed by
_ANY_LANGUAGE = 0.9  # of the weight of a letter that belongs to one language
_STRANGE_LETTER = 0.2
_LONELY = -0.3
_USUAL = (
    0.15  # by which, for each letter, another reading must exceed that of the fallback, which is by far the most common
)
_WRONG = -1.0


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding, the bytes of its byte order mark, and whether it was guessed.

    other: the encoding of the records that are not in the first one, in a file that mixes two; empty if there are none.
    """

    encoding: str
    bom: int = 0
    guessed: bool = False
    other: str = ""


def decode(data: bytes, guess: Guess) -> tuple[str, str]:
    """The text of a record (or of a line), and the encoding that it is in: where that is not the file's own, line by line.

    Every byte is read; U+FFFD stands only for what is wrong in UTF-16.
    """
    if data.isascii() and not guess.encoding.startswith("utf-16"):
        return data.decode("ascii"), guess.encoding
    try:
        return data.decode(guess.encoding), guess.encoding
    except UnicodeDecodeError:
        if guess.encoding.startswith("utf-16"):
            return data.decode(guess.encoding, "replace"), guess.encoding
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        read = [decode(line, guess) for line in lines]
        return "".join(text for text, _ in read), next(name for _, name in read if name != guess.encoding)
    return _decode_stray(data, guess)


def _decode_stray(line: bytes, guess: Guess) -> tuple[str, str]:
    """A line that is not in the file's encoding."""
    name = guess.other or (plausible(line) if guess.encoding == "utf-8" else guess.encoding)
    try:
        return line.decode(name), name
    except UnicodeDecodeError:  # a byte that the encoding leaves undefined
        return line.decode("latin-1"), "latin-1"


class Detector:
    """Fed with the chunks of a file; `result` once all were fed. Memory does not grow with the file."""

    def __init__(self) -> None:
        self._head = b""
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")("strict")
        self._rest = b""
        self._doubtful: list[bytes] = []
        self._doubtful_size = 0
        self._utf8_lines = 0
        self._pure = True  # all that was fed is UTF-8 so far; a letter may be cut in two

    def feed(self, chunk: bytes) -> None:
        """One chunk, in order."""
        if len(self._head) < _SAMPLE:
            self._head += chunk[: _SAMPLE - len(self._head)]
        if self._utf8 is not None:
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._utf8 = None
        self._look(chunk)

    def result(self) -> Guess:
        """The encoding of all that was fed."""
        for mark, name in _BOMS:
            if self._head.startswith(mark):
                return Guess(name, len(mark), other=self._other() if name == "utf-8" else "")
        wide = _wide(self._head)
        if wide:
            return Guess(wide)
        if self._utf8 is not None:
            try:
                self._utf8.decode(b"", final=True)
            except UnicodeDecodeError:
                self._utf8 = None
        if self._utf8 is not None:
            return Guess("utf-8")
        return self._of_doubtful()

    def _look(self, chunk: bytes) -> None:
        """Note the lines that are not ASCII: how many are UTF-8, and a sample of those that are not."""
        if chunk.isascii() and self._rest.isascii():
            self._rest = b""
            return
        if self._utf8 is not None and self._all_utf8(chunk):
            return
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        if len(self._rest) > _SAMPLE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            if not line.isascii() and self._doubtful_size < _SAMPLE:
                self._note(line)

    def _all_utf8(self, chunk: bytes) -> bool:
        """The same for a chunk in which all lines are UTF-8 for sure; False if its last line is longer than what is kept."""
        data = self._rest + chunk
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if len(data) - end > _SAMPLE:
            return False
        if self._utf8_lines <= _ENOUGH:
            self._utf8_lines += _beyond_ascii(data[:end])
        self._rest = data[end:]
        return True

    def _note(self, line: bytes) -> None:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            self._doubtful.append(line[:_SAMPLE])
            self._doubtful_size += len(line)
        else:
            self._utf8_lines += 1

    def _of_doubtful(self) -> Guess:
        other = self._other() or plausible(self._head)
        if self._utf8_lines > len(self._doubtful) // 10:
            return Guess("utf-8", guessed=True, other=other)
        return Guess(other, guessed=True)

    def _other(self) -> str:
        if self._rest and not self._rest.isascii():
            self._note(self._rest)
            self._rest = b""
        return plausible(b"".join(self._doubtful)) if self._doubtful else ""


def _beyond_ascii(lines: bytes) -> int:
    """How many of these lines have letters beyond ASCII; most blocks have none."""
    count = at = 0
    while at < len(lines):
        end = lines.find(b"\n", at + _BLOCK) + 1 or len(lines)
        block = lines[at:end]
        if not block.isascii():
            count += sum(not line.isascii() for line in block.splitlines())
        at = end
    return count


def plausible(sample: bytes) -> str:
    """The encoding in which bytes that are no UTF-8 read best."""
    wide = {name: score for name in _WIDE if (score := _wide_score(sample, name)) is not None}
    best = max(wide, key=lambda name: wide[name], default="")
    if best and wide[best] >= _PLAUSIBLE:
        return best
    usual = _Reading(sample, FALLBACK)
    others = {name: _Reading(sample, name) for name in _LANGUAGES if name != FALLBACK and _reads_all(sample, name)}
    gains = {name: usual.gain(other) for name, other in others.items() if other.mean >= _PLAUSIBLE}
    best = max(gains, key=lambda name: gains[name], default="")
    if best and gains[best] > 0:
        return best
    return FALLBACK if _reads_all(sample, FALLBACK) else "latin-1"


class _Reading:
    """The letters beyond ASCII of a sample in an encoding of one byte a letter, and how plausible each is.

    In the one language that fits best, or, with less weight, in any that the encoding is used for.
    """

    def __init__(self, sample: bytes, name: str) -> None:
        text = sample.decode(name, "replace")
        marks = [(text[at - 1 : at], text[at], text[at + 1 : at + 2]) for at in range(len(text)) if text[at] > "\x7f"]
        self.letters = [letter for _, letter, _ in marks]
        by_language = [[_letter(alphabet, weight, *mark) for mark in marks] for alphabet, weight in _alphabets(name)]
        best, any_language = max(by_language, key=sum), by_language[-1]
        self.scores = [max(pair) for pair in zip(best, any_language, strict=True)]

    @property
    def mean(self) -> float:
        """1 at best."""
        return sum(self.scores) / max(len(self.scores), 1)

    def gain(self, other: _Reading) -> float:
        """By how much the other reads better where the two differ; not above 0 if that may be chance."""
        pairs = zip(self.letters, other.letters, self.scores, other.scores, strict=True)
        differences = [theirs - mine for letter, another, mine, theirs in pairs if letter != another]
        total = sum(differences)
        return total if total > _USUAL * len(differences) else 0.0


def _wide_score(sample: bytes, name: str) -> float | None:
    """How plausible the sample is in an encoding of China, Japan or Korea; None where it does not fit at all."""
    if not _reads_all(sample, name):
        return None
    text = sample.decode(name)
    marks = [(text[at - 1 : at], text[at], text[at + 1 : at + 2]) for at in range(len(text)) if text[at] > "\x7f"]
    return sum(_ideograph(name, *mark) for mark in marks) / max(len(marks), 1)


def _alphabets(name: str) -> Iterator[tuple[str, float]]:
    for language, alphabet in _LANGUAGES[name].items():
        yield alphabet, _ANY_LANGUAGE if language == "*" else 1.0


def _letter(alphabet: str, weight: float, before: str, letter: str, after: str) -> float:
    """How plausible a letter or a sign is between its neighbours."""
    if letter in _SIGNS or not letter.isalpha():
        return _sign(before, letter, after)
    if before.isdigit() or after.isdigit() or _case_breaks(before, letter, after):
        return _WRONG
    if "\u0370" <= letter <= "\u04ff":  # Greek, Cyrillic
        if any(near.isascii() and near.isalpha() for near in (before, after)):
            return _WRONG
        if letter.isupper() and before.isalpha():
            return _STRANGE_LETTER
    elif before.isalpha() and after.isalpha() and not before.isascii() and not after.isascii():
        return _WRONG  # three in a row: not in Latin script
    if letter in _ONLY_BEFORE and after not in _ONLY_BEFORE[letter]:
        return _STRANGE_LETTER
    if not before.isalpha() and not after.isalpha() and letter.lower() not in _LONE:
        return _LONELY
    return weight if letter.lower() in alphabet else _STRANGE_LETTER


def _case_breaks(before: str, letter: str, after: str) -> bool:
    if letter.isupper():
        return before.islower() or (before.isupper() and after.islower())
    return before.isupper() and after.isupper()


def _sign(before: str, sign: str, after: str) -> float:
    if sign not in _SIGNS:
        return _WRONG
    if before.isalpha() and after.isalpha():
        return 1.0 if sign in _INSIDE_WORDS else _WRONG
    if after.isalpha():
        return 1.0 if sign in _BEFORE_WORDS else _WRONG
    return 1.0 if sign in _COMMON_SIGNS else 0.6


def _ideograph(name: str, before: str, letter: str, after: str) -> float:
    """The same for the scripts of China, Japan and Korea."""
    if letter in _WIDE_SIGNS or (letter < "\u2e80" and letter.isalpha()):
        return 0.6
    if any(near.isascii() and near.isalpha() for near in (before, after)):
        return _WRONG
    if letter in _FREQUENT[name] or (name in _JAPANESE and _KANA[0] <= letter <= _KANA[1]):
        return 2.0
    return 0.5 if "\u4e00" <= letter <= "\ud7af" else _WRONG


def _wide(head: bytes) -> str:
    """UTF-16 without a mark. Tags, line ends and blanks are ASCII in every language: their other byte is NUL, always on the same side."""
    if len(head) < 4:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    least = len(head) // 20
    if odd > least and odd > 8 * even and _reads(head, "utf-16-le"):
        return "utf-16-le"
    return "utf-16-be" if even > least and even > 8 * odd and _reads(head, "utf-16-be") else ""


def _reads(head: bytes, name: str) -> bool:
    text = head[: len(head) // 2 * 2].decode(name, "ignore")
    return "\x00" not in text and any(end in text for end in "\r\n ")


def _reads_all(sample: bytes, name: str) -> bool:
    try:
        sample.decode(name)
    except (LookupError, UnicodeDecodeError):
        return False
    return True
