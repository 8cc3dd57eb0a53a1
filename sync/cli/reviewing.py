"""What waits for a person: list it, accept it, reject it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import click

from sync.cli.carrying import have_done
from sync.cli.switches import Common, common, dump


@click.group()
@common
def review() -> None:
    """What waits for a person: list it, accept it, reject it."""


@review.command(name="list")
@click.option("--decided", is_flag=True, help="What was decided, and why it had been asked.")
@common
@click.pass_obj
def review_list(shared: Common, *, decided: bool) -> None:
    """Every question, with its number."""
    from sync import wiring
    from sync.report.records import answered_text, question_json, question_text
    from sync.report.words import printable

    ledger = wiring.open_ledger(shared.load())
    try:
        asked = [] if decided else [asdict(question) for question in ledger.questions.open()]
        drops = [] if decided else ledger.overlaps.open()
        answered = [asdict(one) for one in ledger.questions.answered()] if decided else []
    finally:
        ledger.close()
    for one in answered:
        click.echo(dump({"number": one.pop("record"), **one})) if shared.json else shared.show(answered_text(one))
    if decided and not answered:
        shared.say("nothing was decided yet")
    for overlap in drops:
        said = f"drop {printable(overlap.path)}: {overlap.says}."
        click.echo(dump({"drop": overlap.path, "question": overlap.says})) if shared.json else shared.show(said)
    for question in asked:
        click.echo(dump(question_json(question))) if shared.json else shared.show(question_text(question))
    if not (asked or drops or decided):
        shared.say("nothing waits for you")


@review.command(name="accept")
@click.argument("numbers", nargs=-1, type=int, required=True)
@common
@click.pass_obj
def review_accept(shared: Common, numbers: tuple[int, ...]) -> int:
    """Yes: it is the same work, or was read rightly."""
    return _decide(shared, numbers, yes=True)


@review.command(name="reject")
@click.argument("numbers", nargs=-1, type=int, required=True)
@common
@click.pass_obj
def review_reject(shared: Common, numbers: tuple[int, ...]) -> int:
    """No: it is another work, or was read wrongly and is left out."""
    return _decide(shared, numbers, yes=False)


def _decide(shared: Common, numbers: Iterable[int], *, yes: bool) -> int:
    """Note what a person decided, all of it or (where one number is wrong) nothing, and carry it out."""
    from sync import orders, wiring
    from sync.steps.tools import instant

    config = shared.load()
    ledger = wiring.open_ledger(config)
    try:
        with ledger.transaction():
            for number in numbers:
                ledger.questions.decide(number, instant(wiring.utc_now()), yes=yes)
    finally:
        ledger.close()
    order = orders.Order(owed_only=True)
    return have_done(shared, config, order)
