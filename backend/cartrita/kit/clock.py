"""Time for people: UTC, aware, ISO 8601."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`2026-11-21T05:14:32.123456Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
