"""Moments for people."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cartrita.kit.clock import iso, now


def test_now_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)
    moment = now()
    assert before <= moment <= datetime.now(UTC)
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 21, 5, 14, 32, 123456, tzinfo=UTC), "2026-11-21T05:14:32.123456Z"),
        (datetime(2026, 11, 21, 5, 14, 32, tzinfo=UTC), "2026-11-21T05:14:32Z"),
        (
            datetime(2026, 11, 21, 1, 14, 32, tzinfo=timezone(timedelta(hours=2))),
            "2026-11-20T23:14:32Z",
        ),
    ],
)
def test_written_in_utc_with_a_z(moment: datetime, text: str) -> None:
    assert iso(moment) == text
