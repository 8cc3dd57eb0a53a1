"""A work of ours as PubMed's XML has it. Elements and their order: NLM's DTD of 2025 and recorded articles."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from html import escape, unescape
from xml.sax.saxutils import quoteattr

from tests.servers.works import Author, Work

_DOCTYPE = (
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">'
)
_LANGUAGES = {"en": "eng", "de": "ger", "fr": "fre", "es": "spa"}


def article_set(articles: Iterable[str]) -> str:
    """The document that efetch answers with."""
    return "\n".join(['<?xml version="1.0" ?>', _DOCTYPE, "<PubmedArticleSet>", *articles, "</PubmedArticleSet>"])


def article_xml(work: Work) -> str:
    """One PubmedArticle. Titles end in a full stop, pages are shortened, given names are in full, all as PubMed does."""
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">{work.pmid}</PMID>'
        f"{_article(work)}"
        f"<MedlineJournalInfo><Country>Netherlands</Country><MedlineTA>{work.abbreviation}</MedlineTA>"
        f"<NlmUniqueID>9999999</NlmUniqueID>{_tag('ISSNLinking', work.issn)}</MedlineJournalInfo>"
        f"<CitationSubset>IM</CitationSubset>{_comments(work)}{_mesh(work)}{_keywords(work)}</MedlineCitation>"
        f"{_pubmed_data(work)}</PubmedArticle>"
    )


def short_pages(pages: str) -> str:
    """`117-124` -> `117-24`; `88-97` stays as it is: the last page without the digits that it shares with the first."""
    first, dash, last = pages.partition("-")
    if len(first) != len(last):
        return pages
    shared = next((n for n, (a, b) in enumerate(zip(first, last, strict=True)) if a != b), len(first) - 1)
    return first + dash + last[shared:]


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(text, quote=False)}</{name}>" if text else ""


def _article(work: Work) -> str:
    model = "Print-Electronic" if work.online else "Print"
    issn = f'<ISSN IssnType="Electronic">{work.issn}</ISSN>' if work.issn else ""
    return (
        f'<Article PubModel="{model}"><Journal>{issn}<JournalIssue CitedMedium="Internet">'
        f"{_tag('Volume', work.volume)}{_tag('Issue', work.issue)}<PubDate>{_date(work.date)}</PubDate></JournalIssue>"
        f"<Title>{work.journal}</Title><ISOAbbreviation>{work.abbreviation}</ISOAbbreviation></Journal>"
        f"<ArticleTitle>{_title(work)}</ArticleTitle>{_pagination(work)}"
        f'<ELocationID EIdType="doi" ValidYN="Y">{escape(work.doi, quote=False)}</ELocationID>'
        f"{_abstract(work)}{_authors(work)}"
        f"<Language>{_LANGUAGES[work.language]}</Language><PublicationTypeList>"
        + "".join(f'<PublicationType UI="{ui}">{name}</PublicationType>' for ui, name in work.publication_types)
        + f"</PublicationTypeList>{_article_date(work)}</Article>"
    )


def _title(work: Work) -> str:
    return work.title if work.title.endswith((".", "?", "!")) else f"{work.title}."


def _pagination(work: Work) -> str:
    pages = short_pages(work.pages) or work.article_number
    return f"<Pagination>{_tag('MedlinePgn', pages)}</Pagination>" if pages else ""


def _date(date: tuple[int, ...]) -> str:
    month = calendar.month_abbr[date[1]] if len(date) > 1 else ""
    day = f"{date[2]:02d}" if len(date) > 2 else ""
    return f"<Year>{date[0]}</Year>{_tag('Month', month)}{_tag('Day', day)}"


def _article_date(work: Work) -> str:
    if not work.online:
        return ""
    parts = zip(("Year", "Month", "Day"), (f"{part:02d}" for part in work.online), strict=False)
    return f'<ArticleDate DateType="Electronic">{"".join(_tag(*part) for part in parts)}</ArticleDate>'


def _abstract(work: Work) -> str:
    if not work.abstract or "pubmed" not in work.abstract_in:
        return ""
    texts = (
        f"<AbstractText{_label(label)}>{escape(text, quote=False)}</AbstractText>" for label, text in work.abstract
    )
    return f"<Abstract>{''.join(texts)}</Abstract>"


def _label(label: str) -> str:
    return f" Label={quoteattr(label.upper())} NlmCategory={quoteattr(label.upper())}" if label else ""


def _authors(work: Work) -> str:
    people = "".join(f'<Author ValidYN="Y">{_author(author)}</Author>' for author in work.authors)
    return f'<AuthorList CompleteYN="Y">{people}</AuthorList>' if people else ""


def _author(author: Author) -> str:
    if author.group:
        return _tag("CollectiveName", author.group)
    orcid = f'<Identifier Source="ORCID">{author.orcid}</Identifier>' if author.orcid else ""
    names = (
        ("LastName", author.last),
        ("ForeName", author.first),
        ("Initials", author.initials),
        ("Suffix", author.suffix),
    )
    return "".join(_tag(name, value) for name, value in names) + orcid


def _comments(work: Work) -> str:
    items = "".join(
        f'<CommentsCorrections RefType="{kind}"><RefSource>{escape(source)}</RefSource>'
        f'<PMID Version="1">{pmid}</PMID></CommentsCorrections>'
        for kind, source, pmid in work.comments
    )
    return f"<CommentsCorrectionsList>{items}</CommentsCorrectionsList>" if items else ""


def _mesh(work: Work) -> str:
    headings = "".join(
        f'<MeshHeading><DescriptorName UI="D999{n:03d}" MajorTopicYN="N">{escape(name)}</DescriptorName>'
        + (f'<QualifierName UI="Q999{n:03d}" MajorTopicYN="Y">{escape(qualifier)}</QualifierName>' if qualifier else "")
        + "</MeshHeading>"
        for n, (name, qualifier) in enumerate(work.mesh)
    )
    return f"<MeshHeadingList>{headings}</MeshHeadingList>" if headings else ""


def _keywords(work: Work) -> str:
    words = "".join(f'<Keyword MajorTopicYN="N">{escape(word)}</Keyword>' for word in work.keywords)
    return f'<KeywordList Owner="NOTNLM">{words}</KeywordList>' if words else ""


def _pubmed_data(work: Work) -> str:
    """The article's own identifiers, and those of the works it cites: the latter are none of its own."""
    own = (("pubmed", work.pmid), ("pmc", work.pmcid), ("doi", work.doi))
    cited = "".join(
        f"<Reference><Citation>Somebody. {n}.</Citation>{_identifiers((('doi', doi),))}</Reference>"
        for n, doi in enumerate(work.cites, 1)
    )
    references = f"<ReferenceList>{cited}</ReferenceList>" if cited else ""
    status = "<PublicationStatus>ppublish</PublicationStatus>"
    return f"<PubmedData>{status}{_identifiers(own)}{references}</PubmedData>"


def _identifiers(pairs: Iterable[tuple[str, str]]) -> str:
    items = "".join(
        f'<ArticleId IdType="{kind}">{escape(value, quote=False)}</ArticleId>' for kind, value in pairs if value
    )
    return f"<ArticleIdList>{items}</ArticleIdList>"


def journal_names(work: Work) -> tuple[str, str]:
    """Name and abbreviation as plain text."""
    return unescape(work.journal), work.abbreviation
