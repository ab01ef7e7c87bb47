"""Reads when a server asks to come back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After; a date is read against the server's own clock."""
    told = headers.get("retry-after", "").strip()
    if not told:
        return None
    if told.isascii() and told.replace(".", "", 1).isdigit():
        return float(told)
    until = _date(told)
    if until is None:
        return None
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
