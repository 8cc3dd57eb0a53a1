"""What can be broken in the world around us. Bad data is never an error; it is a `Problem`.

ZotdropError                 exit 1
|-- UsageFault               exit 2   the command line asks for something that cannot be
|-- ConfigFault              exit 3   the config file, all its faults at once
|   `-- CredentialFault      exit 3   a key is missing, wrong, or has no right to write
|       `-- KeyRefused       exit 3   a service does not know the key: it is not sent there again until it changes
|-- Outage                   exit 4   a service is away; it will be asked again
|   `-- Throttled            exit 4   a service asks for a pause longer than we wait in place
|-- Barred                   exit 4   a service refuses us as a whole (403): stop asking, tell the owner
|-- Locked                   exit 7   another instance holds the lock
|-- LimitReached             exit 8   a safety limit stopped the run before its first write
|-- StateFault               exit 1   the ledger cannot be used now (disk full, held by another program)
|   `-- LedgerFault          exit 3   the ledger is damaged, or of a newer zotdrop: a person has to act
`-- Interrupted              exit 130 a stop was asked for; the next run goes on from here

Every message says what, where, and what next.
"""

from __future__ import annotations


class ZotdropError(Exception):
    """Whatever zotdrop raises on purpose; `exit_code` is what the command ends with."""

    exit_code = 1


class UsageFault(ZotdropError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class ConfigFault(ZotdropError):
    """The configuration is not usable; the message names every fault at once."""

    exit_code = 3


class CredentialFault(ConfigFault):
    """A key is missing, wrong, or lacks the right that is needed. Asking on does not help: a person has to act."""


class KeyRefused(CredentialFault):
    """A service does not know this key. It is not sent there again: too many wrong tries lock the whole address."""


class Outage(ZotdropError):
    """A service did not answer, or answered with something that is no answer. To be tried again.

    `service` is the service's short name (`crossref`, `pubmed`, `zotero`), for reports.
    """

    exit_code = 4

    def __init__(self, message: str, *, service: str = "") -> None:
        super().__init__(message)
        self.service = service


class Throttled(Outage):
    """A service asks for a pause of `seconds`, longer than is waited in place."""

    def __init__(self, message: str, *, service: str = "", seconds: float) -> None:
        super().__init__(message, service=service)
        self.seconds = seconds


class Barred(Outage):
    """A service refuses us as a whole (403 from Crossref is a manual block): asking on would make it worse."""


class Locked(ZotdropError):
    """Another instance holds the lock."""

    exit_code = 7


class LimitReached(ZotdropError):
    """A safety limit stopped the run before its first write."""

    exit_code = 8


class StateFault(ZotdropError):
    """The ledger cannot be used now: its disk is full, or another program holds it."""


class LedgerFault(StateFault):
    """The ledger is damaged, or was written by a newer zotdrop. It is left as it is, and starting again does not help."""

    exit_code = 3


class Stuck(ZotdropError):
    """A drop is worked off, but its file cannot be put away. It stays where it is, and keeps no other."""


class Interrupted(ZotdropError):
    """A stop was asked for. Nothing is lost: the next run goes on from here."""

    exit_code = 130
