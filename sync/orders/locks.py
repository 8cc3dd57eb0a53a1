"""Who is at work on a state: the lock of the daemon for its life, and orders that a dead one left."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from sync.config import Config
from sync.state.ledger import Ledger


def daemon_lock(config: Config) -> FileLock:
    """The lock that a daemon holds for its life."""
    Path(config.state.path).parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{config.state.path}.daemon.lock")


def daemon_lives(config: Config) -> bool:
    """Whether a daemon holds its lock on this state."""
    lock = daemon_lock(config)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def take_back(config: Config, ledger: Ledger, wish: int) -> bool:
    """Take a wish back from a daemon that is dead, whether or not it had begun; False if one lives, or the wish was carried out."""
    lock = daemon_lock(config)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    try:
        ledger.wishes.release()
        return ledger.wishes.withdraw(wish)
    finally:
        lock.release()
