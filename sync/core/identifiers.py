"""Identifiers of works: one type and one parse function each. What parses is in canonical form; what does not is None."""

from __future__ import annotations

import re
from typing import NewType
from urllib.parse import unquote

DOI = NewType("DOI", str)
PMID = NewType("PMID", str)
PMCID = NewType("PMCID", str)
ISSN = NewType("ISSN", str)
ISBN = NewType("ISBN", str)
ArXiv = NewType("ArXiv", str)
ORCID = NewType("ORCID", str)

# A DOI is `10.`, a registrant of four to nine digits (with sub-registrants), a slash and any printable text
# (https://www.doi.org/doi-handbook, section 2.2); white space ends it here.
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+")
_DOI_LEAD = re.compile(
    r"^\s*(?:<?\s*(?:https?:/{0,2})?(?:dx\.)?(?:www\.)?doi(?:\.org|\.acm\.org)?\s*[:/]\s*|info:doi/|doi\s*[:=]?\s*|\[doi\]\s*)+",
    re.IGNORECASE,
)
_DOI_IN_TEXT = re.compile(
    r"(?:https?://(?:dx\.)?doi\.org/|info:doi/|\bdoi\s*[:=]?\s*)(10\.\d{4,9}(?:\.\d+)*/[^\s\"<>\]}]+)"
    r"|https?://\S+?/doi/(?:[a-z]+/)?(10\.\d{4,9}(?:\.\d+)*/[^\s\"<>\]}?#]+)",
    re.IGNORECASE,
)
_PAGE_OF_ARTICLE = re.compile(
    r"/(?:full|abstract|abs|summary|e?pdf|epub|references|meta)(?:/.*)?$|\.pdf$", re.IGNORECASE
)
_CENTRAL = re.compile(r"10\.1002/central/", re.IGNORECASE)  # Cochrane's register entries: not the article's DOI
_TRAILING = ".,;:'\"?!>"
_PAIRS = {")": "(", "]": "[", "}": "{"}

_LABEL = re.compile(r"^\s*\[?doi\]?\s*[:=]?\s*", re.IGNORECASE)

_PMID = re.compile(
    r"^\s*(?:PMID\s*[:=]?\s*|MEDLINE\s*[:=]?\s*)?0*([1-9]\d{0,8})(?:\.0)?\s*(?:\[pmid\])?\s*$", re.IGNORECASE
)
_PMID_URL = re.compile(
    r"(?:ncbi\.nlm\.nih\.gov/pubmed|pubmed\.ncbi\.nlm\.nih\.gov|pubmed\.gov)/(?:\?term=)?(\d{1,9})\b", re.IGNORECASE
)
_PMCID = re.compile(r"^\s*(?:PMCID\s*[:=]?\s*)?PMC\s*(\d{3,9})(?:\.\d+)?\s*(?:\[pmcid\])?\s*$", re.IGNORECASE)
_PMC_URL = re.compile(r"(?:ncbi\.nlm\.nih\.gov/pmc|pmc\.ncbi\.nlm\.nih\.gov)/articles/PMC(\d{3,9})", re.IGNORECASE)
_ARXIV = re.compile(
    r"^\s*(?:https?://arxiv\.org/(?:abs|pdf)/|arxiv\s*:\s*|10\.48550/arxiv\.)?(\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(v\d+)?(?:\.pdf)?\s*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_SAID_OF_NUMBERS = frozenset(
    {"electronic", "print", "linking", "online", "issn", "isbn", "eissn", "pbk", "hbk", "ebook"}
)
_IN_BRACKETS = re.compile(r"\([^)]*\)")
_ORCID = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dXx])\s*/?\s*$")


def parse_doi(text: str) -> DOI | None:
    """A DOI out of `10.1/x`, `doi:10.1/x`, a doi.org address or `info:doi/...`; its case is kept as given.

    Percent escapes of an address are resolved, punctuation that ended a sentence is cut.
    """
    value = _DOI_LEAD.sub("", text.strip())
    if re.search(r"%[0-9A-Fa-f]{2}", value):
        value = unquote(value)
    found = _DOI.match(value)
    return DOI(_trim(found.group())) if found and not _CENTRAL.match(value) else None


def find_doi(text: str) -> DOI | None:
    """The first DOI that a text names as such: `doi:` or a doi.org address before it, or a publisher's `.../doi/full/10.1/x`.

    Cochrane's register numbers (`10.1002/central/CN-...`) are not the DOIs of the articles they list.
    """
    for found in _DOI_IN_TEXT.finditer(text):
        doi = parse_doi(found[1] or _PAGE_OF_ARTICLE.sub("", found[2]))
        if doi:
            return doi
    return None


def doi_key(doi: str) -> str:
    """The form in which two spellings of a DOI are equal: DOIs do not tell case apart (DOI handbook, 2.4)."""
    return doi.lower()


def stands_alone(text: str) -> bool:
    """Whether a text says nothing beside its identifier: one word, but for a label before it."""
    return len(_LABEL.sub("", text).split()) == 1


def parse_pmid(text: str) -> PMID | None:
    """A PubMed number out of `123`, `PMID: 123`, `123 [pmid]` or an address at PubMed."""
    found = _PMID.match(text) or _PMID_URL.search(text)
    return PMID(found.group(1).lstrip("0")) if found and found.group(1).strip("0") else None


def is_only_pmid(text: str) -> bool:
    """Whether a text that holds a PMID or a PMCID says nothing else."""
    return len(text.split()) == 1 or _PMID.match(text) is not None or _PMCID.match(text) is not None


def parse_pmcid(text: str) -> PMCID | None:
    """A PubMed Central number, `PMC123`."""
    found = _PMCID.match(text) or _PMC_URL.search(text)
    return PMCID(f"PMC{found.group(1)}") if found else None


def parse_issn(text: str) -> ISSN | None:
    """An ISSN with a right check digit, as `1234-567X`; a missing hyphen is put in (ISO 3297)."""
    letters = re.sub(r"[^0-9Xx]", "", _IN_BRACKETS.sub("", text)).upper()
    if len(letters) != 8 or "X" in letters[:7]:
        return None
    total = sum((8 - place) * _digit(letter) for place, letter in enumerate(letters))
    return ISSN(f"{letters[:4]}-{letters[4:]}") if total % 11 == 0 else None


def says_more(numbers: str) -> bool:
    """Whether words stand beside ISSNs or ISBNs that say more than what kind of number it is."""
    return bool({word.lower() for word in _WORD.findall(numbers)} - _SAID_OF_NUMBERS)


def plain_issns(text: str) -> str:
    """ISSNs, however a database writes them (`0937941X (ISSN)`), with their hyphens and parted by commas; anything else as it is."""
    for parts in (re.split(r"[\n,;]", text), text.split()):
        given = [part.strip() for part in parts if part.strip()]
        found = [parse_issn(part) for part in given]
        if found and all(found) and given != found:
            return ", ".join(dict.fromkeys(str(one) for one in found))
    return text


def parse_isbn(text: str) -> ISBN | None:
    """An ISBN of 10 or 13 digits with a right check digit, without hyphens (ISO 2108)."""
    letters = re.sub(r"[^0-9Xx]", "", _IN_BRACKETS.sub("", text)).upper()
    if len(letters) == 10 and "X" not in letters[:9]:
        return ISBN(letters) if sum((10 - n) * _digit(c) for n, c in enumerate(letters)) % 11 == 0 else None
    if len(letters) == 13 and letters.isdigit() and letters.startswith(("978", "979")):
        return ISBN(letters) if sum((1, 3)[n % 2] * int(c) for n, c in enumerate(letters)) % 10 == 0 else None
    return None


def parse_arxiv(text: str) -> ArXiv | None:
    """An arXiv number, `2101.00001` or `math.GT/0309136`, without version."""
    found = _ARXIV.match(text)
    return ArXiv(found.group(1)) if found else None


def parse_orcid(text: str) -> ORCID | None:
    """An ORCID with a right check digit (ISO 7064 mod 11-2), as `0000-0002-1825-0097`."""
    found = _ORCID.search(text)
    if not found:
        return None
    letters = "".join(found.groups()).upper()
    total = 0
    for letter in letters[:15]:
        total = (total + int(letter)) * 2
    check = (12 - total % 11) % 11
    return ORCID("-".join(found.groups()).upper()) if check == _digit(letters[15]) else None


def _digit(letter: str) -> int:
    return 10 if letter == "X" else int(letter)


def _trim(doi: str) -> str:
    """Without punctuation at the end that belongs to the sentence, unpaired closing brackets among it."""
    while doi and (doi[-1] in _TRAILING or (doi[-1] in _PAIRS and doi.count(doi[-1]) > doi.count(_PAIRS[doi[-1]]))):
        doi = doi[:-1]
    return doi
