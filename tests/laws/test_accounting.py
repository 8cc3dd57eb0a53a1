"""The law of all readers of tagged text: every value that goes in is found again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from sync import drops
from sync.core import formats, ris_lines
from sync.core.record import Entry, Gap, Record
from sync.core.tidy import tidied

Pairs = Sequence[tuple[str, str]]

# What values look like: a word that stands for nothing, an identifier, a name, a date, a number, an address, a placeholder.
SHAPES = (
    "{}", "Word {} and more", "Moss{}, Ada", "Moss{}, Ada; Fern, Bo", "The {} Group", "10.5555/{}", "https://a.example/{}", "https://doi.org/10.5555/{} x",
    "2011/02/12/{}", "{} 2011", "12 {}", "p{}-9", "{}; b", "{}\n   second line", "ISSN {}", "PMID: {}", "NA {}", "{} [doi]", "Moss, Ada ({})", "{} [pii]", "Query date: {}",
)  # fmt: skip


def ris(pairs: Pairs) -> str:
    return "\n".join(["TY  - JOUR", *(f"{tag}  - {value}" for tag, value in pairs), "ER  - ", ""])


def medline(pairs: Pairs) -> str:
    return "\n".join(["PMID- 29999999", *(f"{tag:4}- {value}" for tag, value in pairs), ""])


def endnote(pairs: Pairs) -> str:
    return "\n".join(["%0 Journal Article", *(f"%{tag} {value}" for tag, value in pairs), ""])


def isi(pairs: Pairs) -> str:
    return "\n".join(["PT J", *(f"{tag} {value}" for tag, value in pairs), "ER", ""])


FORMATS: dict[str, tuple[Callable[[Pairs], str], list[str]]] = {
    "ris": (ris, sorted((ris_lines.KNOWN | {"ZZ", "PMID", "DOI"}) - {"TY", "ER"})),
    "medline": (medline, "TI VI IP PL PB BTI JT TA PG CI ISBN ISSN LA EN AB CTI PT FAU FED AU ED OID PMC IS AID DP SO LID MH OT CN AD RN GR JID".split()),  # noqa: SIM905
    "endnote": (endnote, list("ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789@*?~!>+$")),
    "isi": (isi, "AU AF BA BF BE CA GP ED TI SO SE BS LA DT CT CY DE ID AB C1 RP EM NR TC U1 PU PI PA SN EI BN J9 JI PD PY VL IS PN SU BP EP AR DI D2 PG WC UT PM".split()),  # noqa: SIM905
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=600)
@given(data=st.data())
def test_every_value_is_accounted_for(name: str, data: st.DataObject) -> None:
    write, tags = FORMATS[name]
    drawn = data.draw(st.lists(st.tuples(st.sampled_from(tags), st.sampled_from(SHAPES)), min_size=1, max_size=12))
    pairs = [(tag, shape.format(f"q{number:03}x")) for number, (tag, shape) in enumerate(drawn)]
    parts = read(name, write(pairs))
    missing = [pair for number, pair in enumerate(pairs) if f"q{number:03}x" not in parts]
    event(f"{min(len({tag for tag, _ in pairs}), 6)} tags or more")
    assert missing == []


def read(name: str, text: str) -> str:
    """All that is said in the records of a text, both as they are read and as a library gets them; what only one has is not said."""
    known = next(one for one in formats.FORMATS if one.name == name)
    literal, library = [], []
    for part in known.read(drops.lines_of(text.encode())):
        if isinstance(part, Gap):
            literal.append(part.text)
            library.append(part.text)
            continue
        assert isinstance(part, Entry)
        reading = known.to_reading(part)
        literal.append(said(reading.record))
        library.append(said(tidied(reading).record))
    one, other = ("\n".join(texts).lower() for texts in (literal, library))
    return "\n".join(
        word for word in one.split() if any(word[i : i + 5] in other for i in range(len(word)) if word[i] == "q")
    )


def said(record: Record | None) -> str:
    assert record is not None
    people = [f"{creator.last} {creator.first} {creator.name}" for creator in record.creators]
    links = [attachment.url for attachment in record.attachments]
    kept = [value for _, value in record.unmapped]
    return "\n".join(
        [*record.fields.values(), *record.identifiers.values(), *record.tags, *record.notes, *people, *links, *kept]
    )
