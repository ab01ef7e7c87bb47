"""Where a list goes on that is in the order of a moment and an id."""

from datetime import UTC, datetime
from uuid import UUID

from cartrita.domain.errors import InvalidInput
from cartrita.kit.pagination import decode_cursor


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """The moment and the id of a `moment_cursor`. Raises InvalidInput."""
    try:
        match decode_cursor(cursor):
            case [str(moment), str(identity)]:
                return datetime.fromisoformat(moment).astimezone(UTC), UUID(identity)
            case _:
                raise ValueError("another shape")
    except (ValueError, OverflowError):
        raise InvalidInput.of(
            "cursor", "this is not a cursor of this list; begin without one"
        ) from None
