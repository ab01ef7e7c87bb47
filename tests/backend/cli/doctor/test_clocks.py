"""Clocks that are right, a little off, and far off."""

from datetime import UTC, datetime, timedelta

import pytest

from cartrita.cli.doctor.clocks import clock_finding, parsed_date


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (0, "ok"),
        (-29, "ok"),
        (31, "warning"),
        (-120, "warning"),
        (301, "problem"),
        (-4000, "problem"),
    ],
)
def test_how_far_it_is_off(seconds: float, status: str) -> None:
    found = clock_finding("clock", timedelta(seconds=seconds), "It is off.")
    assert found.status == status
    assert bool(found.fix) == (status != "ok")


def test_dates_of_headers() -> None:
    assert parsed_date("Mon, 30 Nov 2026 19:00:00 GMT") == datetime(2026, 11, 30, 19, tzinfo=UTC)
    for header in (None, "", "soon", "Mon, 30 Nov 2026 19:00:00"):
        assert parsed_date(header) is None
