"""The encoding of bytes is found: whole files, single names, and records of two encodings in one file."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync.core.encodings import Detector, Guess, decode

SAMPLES = {
    "french": (
        "Évaluation de l’efficacité des thérapies brèves chez l’adulte âgé",
        "Lefèvre, Chloé",
        "Revue française",
    ),
    "german": (
        "Über die Wirkung von Bewegung auf ältere Menschen: eine Übersicht",
        "Müller, Jürgen",
        "Zeitschrift für Mauern",
    ),
    "spanish": ("Evaluación de la intervención psicológica en niños y jóvenes", "Muñoz, José", "Revista Española"),
    "portuguese": ("Avaliação da saúde da população idosa: revisão", "Conceição, João", "Associação de São Paulo"),
    "danish": ("Smertebehandling hos ældre på sygehus: en undersøgelse", "Sørensen, Åse", "Københavns Blade"),
    "swedish": ("Sömnkvalitet hos äldre på sjukhus: en översikt", "Åkesson, Örjan", "Göteborgs Tidskrift"),
    "finnish": ("Hyvinvoinnin edistäminen ikääntyneillä", "Mäkinen, Päivi", "Hämeen Lehti"),
    "italian": ("Qualità della vita nei pazienti: perché è così", "Nicolò, Pia", "Università di Forlì"),
    "polish": ("Przegląd badań nad jakością życia osób starszych", "Wiśniewski, Łukasz", "Uniwersytet Łódzki"),
    "czech": (
        "Přehled studií o kvalitě života starších lidí: účinnost péče u duševně nemocných",
        "Dvořák, Jiří; Novák, Zdeněk; Růžička, Ondřej",
        "Masarykova univerzita, Škoda",
    ),
    "hungarian": ("Az idősek életminőségének vizsgálata: őszi felmérés", "Szűcs, Győző", "Pécsi Szemle"),
    "russian": ("Оценка качества жизни пожилых людей", "Иванов, Пётр", "Московский журнал"),
    "chinese": ("老年人睡眠质量的系统评价", "王伟", "中国医学杂志"),
    "taiwanese": ("老年人睡眠質量的系統評價", "王偉", "中國醫學雜誌"),
    "japanese": ("高齢者の睡眠の質に関する系統的レビュー", "田中、太郎", "日本医学会雑誌"),
    "korean": ("노인의 수면의 질에 관한 체계적 문헌고찰", "김민수", "대한의학회지"),
    "english": ("Girls’ lives – a “quiet” wall… and what it is made of", "O’Brien, Ann", "Human–Wall Journal"),
}
WEST = ("french", "german", "spanish", "portuguese", "danish", "swedish", "finnish", "italian", "english")
ENCODINGS = {
    "cp1252": WEST,
    "mac-roman": tuple(name for name in WEST if name != "english"),
    "cp1250": ("polish", "czech", "hungarian"),
    "cp1251": ("russian",),
    "koi8-r": ("russian",),
    "gb18030": ("chinese",),
    "big5": ("taiwanese",),
    "shift-jis": ("japanese",),
    "euc-jp": ("japanese",),
    "euc-kr": ("korean",),
    "utf-8": tuple(SAMPLES),
    "utf-8-sig": tuple(SAMPLES),
    "utf-16": tuple(SAMPLES),
    "utf-16-le": tuple(SAMPLES),
    "utf-16-be": tuple(SAMPLES),
}
CASES = [(name, encoding) for encoding, names in ENCODINGS.items() for name in names]


def written(name: str, *, title: bool = True) -> str:
    said, author, journal = SAMPLES[name]
    return f"TY  - JOUR\nTI  - {said if title else 'A study of walls'}\nAU  - {author}\nJO  - {journal}\nPY  - 2019\nER  - \n"


def detect(data: bytes, size: int = 1 << 20) -> Guess:
    detector = Detector()
    for at in range(0, len(data), size):
        detector.feed(data[at : at + size])
    return detector.result()


@pytest.mark.parametrize(("name", "encoding"), CASES)
@pytest.mark.parametrize("title", [True, False], ids=["titles", "names"])
def test_the_text_is_read_as_it_was_written(name: str, encoding: str, *, title: bool) -> None:
    text = written(name, title=title)
    data = text.encode(encoding)
    guess = detect(data)
    assert decode(data[guess.bom :], guess)[0] == text


@pytest.mark.parametrize("name", ["french", "german", "danish"])
def test_latin_1_is_read_as_its_superset(name: str) -> None:
    text = written(name).replace("’", "'")
    assert detect(text.encode("latin-1")) == Guess("cp1252", guessed=True)


@pytest.mark.parametrize("other", ["cp1252", "mac-roman", "cp1250"])
def test_a_file_that_mixes_encodings_is_read_record_by_record(other: str) -> None:
    name = "polish" if other == "cp1250" else "german"
    first, second = written("chinese").encode(), written(name).encode(other)
    guess = detect(first * 3 + second + first)
    assert (guess.encoding, guess.other, guess.guessed) == ("utf-8", other, True)
    assert decode(first, guess) == (written("chinese"), "utf-8")
    assert decode(second, guess) == (written(name), other)
    assert decode(first + second, guess) == (written("chinese") + written(name), other)


def test_a_stray_line_after_a_byte_order_mark_is_found_too() -> None:
    guess = detect(b"\xef\xbb\xbf" + written("french").encode() + "Müller\n".encode("cp1252"))
    assert guess == Guess("utf-8", 3, other="cp1252")


def test_ascii_is_utf_8_and_nothing_is_guessed() -> None:
    assert detect(b"TY  - JOUR\nTI  - Walls\n") == Guess("utf-8")


def test_nothing_is_utf_8() -> None:
    assert detect(b"") == Guess("utf-8")


def test_a_letter_that_is_cut_off_at_the_end_does_not_spoil_the_rest() -> None:
    data = (written("german") * 3).encode() + "ü".encode()[:1]
    guess = detect(data)
    assert guess.encoding == "utf-8"
    assert decode(data[:100], guess)[0] == data[:100].decode()


@pytest.mark.parametrize("size", [1, 3, 7])
def test_the_size_of_the_chunks_does_not_matter(size: int) -> None:
    for name, encoding in CASES[::5]:
        data = written(name).encode(encoding)
        assert detect(data, size=max(size, len(data) // 50)).encoding == detect(data).encoding


def test_greek_is_not_taken_for_russian() -> None:
    text = "TI  - Αξιολόγηση της ποιότητας ζωής των ηλικιωμένων: συστηματική ανασκόπηση\nAU  - Παπαδόπουλος, Γιώργος\n"
    data = text.encode("cp1253")
    assert decode(data, detect(data))[0] == text


def test_bytes_that_no_encoding_has_are_read_as_latin_1() -> None:
    assert decode(b"a\x81\x8d\x9db", Guess("cp1252")) == ("a\x81\x8d\x9db", "latin-1")


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "cp1252", "gb18030", "shift-jis", "utf-16-le"]))
def test_any_bytes_are_read(data: bytes, encoding: str) -> None:
    text, name = decode(data, Guess(encoding))
    event(f"{encoding} read as {'itself' if name == encoding else 'another'}")
    assert bool(text) == bool(data)
    assert detect(data).encoding


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_utf_8_is_read_as_it_was_written(text: str) -> None:
    event("beyond ASCII" if not text.isascii() else "ASCII")
    data = text.encode()
    assert decode(data, Guess("utf-8")) == (text, "utf-8")
