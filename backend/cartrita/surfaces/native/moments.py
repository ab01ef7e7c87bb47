"""Moments in requests, as the database can store and read them."""

from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, AwareDatetime

_FIRST_YEAR: Final = 1900
_LATEST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""asyncpg rounds what is after it into the year 10000, and then cannot read its row any more."""


def _storable(moment: datetime) -> datetime:
    """The moment in UTC, no later than can be read again; one without a time zone as it is."""
    if moment.tzinfo is None:
        return moment
    try:
        found = moment.astimezone(UTC)
    except OverflowError:
        found = None
    if found is None or found.year < _FIRST_YEAR:
        raise ValueError(f"choose a year from {_FIRST_YEAR} to {_LATEST.year}")
    return min(found, _LATEST)


Moment: TypeAlias = Annotated[datetime, AfterValidator(_storable)]
AwareMoment: TypeAlias = Annotated[AwareDatetime, AfterValidator(_storable)]
"""One that must have a time zone."""
