"""An order carried out: by the service if it is running, else here, with progress and a way to stop."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from sync.cli.switches import Common, dump
from sync.errors import Interrupted
from sync.stopping import Stop

if TYPE_CHECKING:
    from sync.config import Config
    from sync.orders import Order
    from sync.report import RunReport


def carry_out(shared: Common, config: Config, order: Order) -> list[RunReport]:
    """Carry an order out here, with progress, and with Ctrl-C as a stop between two batches; SIGTERM also cuts off the waiting for answers."""
    from sync import orders

    stop = Stop()

    def ask_to_stop(number: int, _frame: object) -> None:
        again = stop.is_set()
        if again or number == signal.SIGTERM:  # in a thread: a handler must not wait for a lock
            threading.Thread(target=stop.hurry, daemon=True).start()
        if again:
            raise KeyboardInterrupt
        shared.say("stopping after this batch (once more to stop at once) ...")
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _progress(shared) as tell:
            return orders.carry_out(config, order, kind="sync", stop=stop, tell=tell)
    except KeyboardInterrupt:
        raise Interrupted("stopped at once; the next run goes on from here") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def have_done(shared: Common, config: Config, order: Order, *, strict: bool = False) -> int:
    """Have an order carried out, by the service if it is running, else here; the exit code."""
    from sync import orders

    if orders.daemon_lives(config):
        return _hand_over(shared, config, order, strict=strict)
    return _do_here(shared, config, order, strict=strict)


def _hand_over(shared: Common, config: Config, order: Order, *, strict: bool) -> int:
    """Hand the order to the living daemon through the ledger, and follow it."""
    from sync import orders, wiring
    from sync.steps.tools import instant

    ledger = wiring.open_ledger(config)
    wish = 0
    try:
        arguments = {**order.as_json(), "strict": strict, "verbose": shared.verbose}
        wish = ledger.wishes.make("sync", arguments, instant(wiring.utc_now()))
        shared.say("the service is running: it carries this out; following it ...")
        told = ""
        while (state := ledger.wishes.get(wish)).state != "done":
            if state.progress != told:
                told = state.progress
                shared.say(told)
            if orders.take_back(config, ledger, wish):
                return _do_here(shared, config, order, strict=strict)
            time.sleep(0.2)
        answer = state.answer or {}
    except KeyboardInterrupt:
        taken = not ledger.wishes.withdraw(wish)
        raise Interrupted("the service goes on with it" if taken else "taken back before it began") from None
    finally:
        ledger.close()
    code = int(state.exit_code or 0)
    if "error" in answer:
        click.echo(shared.told(f"zotdrop: {answer['error']}"), err=True)
        if shared.json:
            click.echo(dump({"error": {"code": code, "message": shared.told(answer["error"])}}))
    for data, text in zip(answer.get("reports", ()), answer.get("texts", ()), strict=True):
        if shared.json:
            click.echo(dump(data))
        elif not shared.quiet:
            shared.show(text)
    return code


def _do_here(shared: Common, config: Config, order: Order, *, strict: bool) -> int:
    """Carry an order out here and print what came of it; the exit code."""
    from sync import orders

    reports = carry_out(shared, config, order)
    print_reports(shared, reports)
    return orders.worst(reports, strict=strict)


def print_reports(shared: Common, reports: Iterable[RunReport]) -> None:
    """What runs did, as the switches want it."""
    from sync.report import as_json, as_text

    for report in reports:
        if shared.json:
            click.echo(dump(as_json(report)))
        elif not shared.quiet:
            shared.show(as_text(report, verbose=shared.verbose))
        elif report.exit_code():  # -q says nothing but errors
            click.echo(shared.told(as_text(report)), err=True)
        if report.failure and shared.json:
            click.echo(shared.told(f"zotdrop: {report.failure}"), err=True)


def _progress(shared: Common) -> Any:
    """A bar on a terminal, plain lines elsewhere, nothing with -q."""
    from sync.progress import bar, lines, silent

    if shared.quiet:
        return silent()
    return bar() if sys.stderr.isatty() else lines(lambda text: click.echo(text, err=True), time.monotonic)
