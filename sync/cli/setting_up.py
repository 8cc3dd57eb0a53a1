"""Commands before the first drop: write a config, check it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli.switches import Common, common
from sync.errors import Outage, UsageFault

if TYPE_CHECKING:
    from sync.config import Config


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--desktop", is_flag=True, help="Write to the Zotero that runs on this computer: it is asked for a key.")
@click.option("--url", metavar="URL", help="With --desktop: where it listens, if not at http://127.0.0.1:23119.")
@click.option("--systemd", is_flag=True, help="Write units for systemd too, with the paths of the config.")
@click.option("--user", is_flag=True, help="With --systemd: for your own systemd, not the machine's.")
@common
@click.pass_obj
def init(shared: Common, folder: Path, *, desktop: bool, url: str | None, systemd: bool, user: bool) -> None:
    """Write a commented config into FOLDER and create the folders it names."""
    from sync import access, scaffold, units

    if url and not desktop:
        raise UsageFault("--url says where the Zotero on this computer listens; it goes with --desktop")
    if user and not systemd:
        raise UsageFault("--user says for which systemd; it goes with --systemd")
    for line in access.desktop(folder, url) if desktop else scaffold.scaffold(folder):
        shared.say(line)
    for line in units.write(folder, user=user) if systemd else []:
        shared.say(line)


@click.command()
@click.option("--notify", is_flag=True, help="Send a test notice in every way that [notify] names, and nothing else.")
@common
@click.pass_obj
def check(shared: Common, *, notify: bool) -> None:
    """Check the config, the folders, and the right to write to each library."""
    from sync import access
    from sync.orders.tasks import no_folder

    config = shared.load(asks=not notify)
    if notify:
        _check_notices(shared, config)
        return
    for name, inbox in config.inbox.items():
        if not Path(inbox.path).is_dir():
            raise UsageFault(no_folder(Path(inbox.path), name))
    for name in config.library:
        shared.say(f"library {name}: {access.check(config, name)}, may be written")
    shared.say("all is well")


def _check_notices(shared: Common, config: Config) -> None:
    """Send a test notice in every way, and tell of each whether it arrived. Raises Outage if one did not."""
    from sync import wiring
    from sync.notify.teller import try_out

    results = dict(try_out(config, wiring.utc_now()))
    if not results:
        raise UsageFault("[notify] names no way to tell anybody: set one of webhook, ntfy, mail, command")
    for name, why in results.items():
        shared.say(f"notify.{name}: {why or 'a test notice was sent'}")
    failed = [name for name, why in results.items() if why]
    if failed:
        raise Outage(f"no notice can be sent by {', '.join(failed)}; mend [notify.{failed[0]}], then check again")
