"""Where the items of a drop go, and what they get with that: its collection, the inbox's tags, its keywords."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

from sync import drops
from sync.core.keywords import Keywords
from sync.core.plan import Wish
from sync.state.drops import DropRow
from sync.state.routes import Route
from sync.steps.tools import Rules, Task, Tools

AUTOMATIC_UP_TO = 2_000  # records: a larger drop brings no automatic keywords (they would drown the tag list)


def path_of(tools: Tools, task: Task, row: DropRow) -> tuple[str, ...]:
    """The names of the collections that a drop's items go to. They are found out once: what is decided later goes there too."""
    route = tools.ledger.routes.of(row.id)
    path = collection_path(task.rules, task, tools.now(), route) if route.path is None else route.path
    tools.ledger.routes.leads_to(row.id, path)
    return path


def wish_of(tools: Tools, rules: Rules, path: Sequence[str], entries: int) -> Wish:
    """What the inbox wants for the items of a drop; asks the library alone, so that it may be asked in a thread beside the ledger's."""
    collections = (tools.library.collection(list(path)),) if path else ()
    return Wish(collections, rules.tags, keywords_of(rules, entries), rules.restore)


def keywords_of(rules: Rules, entries: int) -> Keywords:
    """What becomes of the keywords of a drop with so many records."""
    return rules.keywords.without_automatic() if entries > AUTOMATIC_UP_TO else rules.keywords


def later_wish(tools: Tools, record: int) -> Wish:
    """What may be put into the item of a record later on: nothing but keywords, as its inbox wants them."""
    row = tools.ledger.records.drop_of(record)
    rules = tools.rules_of(row.inbox) or Rules(row.inbox)
    return Wish(keywords=keywords_of(rules, row.entries))


def collection_path(rules: Rules, task: Task, today: datetime, route: Route) -> tuple[str, ...]:
    """The names of the nested collections that a drop's items go to; empty names fall out."""
    values = {
        "drop": PurePath(task.name).stem,
        "subfolder": drops.legible(task.drop.subfolder),
        "date": f"{today:%Y-%m-%d}",
        "review": rules.assigned.review,
        "database": (rules.assigned.database or route.database).replace("/", "-"),
    }
    path = rules.collection
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    return tuple(part.strip() for part in path.split("/") if part.strip())
