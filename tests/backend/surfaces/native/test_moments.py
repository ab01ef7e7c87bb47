"""Moments in requests: in UTC, and none that the database could not store or read again."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from cartrita.surfaces.native.moments import AwareMoment, Moment

MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
AWARE: TypeAdapter[datetime] = TypeAdapter(AwareMoment)


def test_a_moment_is_in_utc() -> None:
    local = datetime(2026, 11, 28, 12, tzinfo=timezone(timedelta(hours=2)))
    assert MOMENT.validate_python(local) == AWARE.validate_python(local) == local
    assert AWARE.validate_python(local).tzinfo is UTC


def test_the_last_moment_is_a_whole_second() -> None:
    latest = AWARE.validate_python("9999-12-31T23:59:59.999999Z")
    assert latest == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"])
def test_years_that_cannot_be(wrong: str) -> None:
    with pytest.raises(ValidationError, match="choose a year from 1900 to 9999"):
        MOMENT.validate_python(wrong)


def test_without_a_time_zone() -> None:
    naive = datetime(2026, 11, 28, 12)  # noqa: DTZ001 - the point
    assert MOMENT.validate_python(naive) == naive
    with pytest.raises(ValidationError):
        AWARE.validate_python(naive)
