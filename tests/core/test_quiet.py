"""Long series wait for NCBI's quiet hours, whichever clock US Eastern time has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync.core.quiet import is_quiet


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-11-23T15:00", False),  # a Monday morning in New York
        ("2026-11-24T03:00", True),  # its late evening
        ("2026-11-24T08:30", True),
        ("2026-11-24T11:00", False),
        ("2026-11-28T17:00", True),  # a Saturday
        ("2026-11-29T20:00", True),  # a Sunday
        ("2026-11-30T16:00", False),
        ("2026-07-15T03:00", True),
        ("2026-07-15T14:00", False),
    ],
)
def test_nights_and_weekends_are_quiet(moment: str, *, quiet: bool) -> None:
    assert is_quiet(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is quiet


def test_no_moment_is_taken_for_quiet_that_is_not() -> None:
    try:
        eastern = ZoneInfo("America/New_York")
    except KeyError:
        pytest.skip("no time zone table on this machine")
    start, given_away, quiet_ones = datetime(2026, 1, 1, tzinfo=UTC), 0, 0
    for hours in range(365 * 24):
        moment = start + timedelta(hours=hours)
        local = moment.astimezone(eastern)
        truly = local.weekday() >= 5 or local.hour >= 21 or local.hour < 5
        assert truly or not is_quiet(moment)
        quiet_ones += is_quiet(moment)
        given_away += truly and not is_quiet(moment)
    assert quiet_ones > 4_000
    assert given_away < 400
