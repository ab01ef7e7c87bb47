"""Cursors of lists that are in the order of a moment and an id."""

from datetime import UTC, datetime
from uuid import UUID

from cartrita.domain.errors import InvalidInput
from cartrita.kit import pagination


def cursor_at(moment: datetime, identity: UUID) -> str:
    """The cursor of a list after the item of this moment and this id."""
    return pagination.encode_cursor(moment.isoformat(), identity.hex)


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """The moment and the id of a cursor. Raises InvalidInput."""
    try:
        match pagination.decode_cursor(cursor):
            case [str(moment), str(identity)]:
                return datetime.fromisoformat(moment).astimezone(UTC), UUID(identity)
            case _:
                raise ValueError("another shape")
    except (ValueError, OverflowError):
        raise InvalidInput.of(
            "cursor", "this is not a cursor of this list; begin without one"
        ) from None
