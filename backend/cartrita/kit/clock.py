"""The wall clock: timezone-aware UTC datetimes and their ISO 8601 form."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, such as `2026-11-21T05:14:32.123456Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
