"""Where a list goes on: exact to the microsecond, and a clear error for what is made up."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from cartrita.adapters.persistence.moment_cursors import place_of
from cartrita.domain.errors import InvalidInput
from cartrita.kit.pagination import encode_cursor, moment_cursor

ID = UUID("01a22d6b-1819-7a44-b35e-bbdc6b19ece8")
MOMENT = datetime(2026, 11, 30, 17, 5, 24, 206793, tzinfo=UTC)


def test_a_place_comes_back_as_it_was() -> None:
    assert place_of(moment_cursor(MOMENT, ID)) == (MOMENT, ID)


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    moment, _ = place_of(moment_cursor(MOMENT.astimezone(timezone(timedelta(hours=5))), ID))
    assert (moment, moment.tzinfo) == (MOMENT, UTC)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        encode_cursor("now", ID.hex),
        encode_cursor(MOMENT.isoformat(), "x"),
        encode_cursor(MOMENT.isoformat()),
        encode_cursor(5, ID.hex),
        encode_cursor("0001-01-01T00:00:00+23:59", ID.hex),
    ],
)
def test_what_is_no_place_is_refused_with_what_to_do(cursor: str) -> None:
    with pytest.raises(InvalidInput, match=r"^cursor: .* begin without one"):
        place_of(cursor)
