"""Compares this machine's clock with those of others."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from cartrita.cli.doctor.findings import Finding, ok, problem, warning

_NOTICED: Final = timedelta(seconds=30)
_TOO_FAR: Final = timedelta(minutes=5)
_FIX: Final = "Set the clock of whichever is wrong, as with `timedatectl set-ntp true`."


def clock_finding(name: str, ahead: timedelta, told: str) -> Finding:
    """What a clock that is so far ahead of this machine's comes to."""
    if abs(ahead) >= _TOO_FAR:
        return problem(name, told, _FIX)
    if abs(ahead) >= _NOTICED:
        return warning(name, told, _FIX)
    return ok(name, told)


def parsed_date(header: str | None) -> datetime | None:
    """The moment that a `Date` header names."""
    if header is None:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
