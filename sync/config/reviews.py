"""Which review and which of its searches a drop belongs to: as the command says, or its inbox, or the subfolder that it lies in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sync.config.options import Config
from sync.core.reviews import NOWHERE, Assigned


def assigned(config: Config, inbox: str, subfolder: str, said: str = "") -> Assigned:
    """What a drop belongs to. said: `REVIEW` or `REVIEW/SEARCH`, known, which goes before what its inbox has.

    A search that neither names is that of a subfolder of its name; where no review is named either, the subfolders name both.
    """
    review, _, search = (said or config.inbox[inbox].review).partition("/")
    folders = subfolder.split("/")
    review = review or _called(config.review, folders)
    if review not in config.review:
        return NOWHERE
    searches = config.review[review].search
    search = search or _called(searches, reversed(folders))
    own = searches.get(search)
    if own is None:
        return Assigned(review)
    return Assigned(review, search, own.database, own.platform, own.date.isoformat(), own.expected)


def unknown(reviews: Mapping[str, Any], said: str) -> str:
    """What is wrong with a name `REVIEW` or `REVIEW/SEARCH`; nothing where the config has it. reviews: as the file has them."""
    review, _, search = said.partition("/")
    if review not in reviews:
        return f"there is no [review.{review}]; there is {', '.join(reviews) or 'none'}"
    own = reviews[review]
    searches = own.get("search", {}) if isinstance(own, Mapping) else own.search
    if search and search not in searches:
        return f"there is no [review.{review}.search.{search}]; there is {', '.join(searches) or 'none'}"
    return ""


def _called(names: Iterable[str], folders: Iterable[str]) -> str:
    known = {name.casefold(): name for name in names}
    return next((known[folder.casefold()] for folder in folders if folder.casefold() in known), "")
