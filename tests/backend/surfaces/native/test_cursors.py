"""Cursors are read back from the event ids that carry them."""

import pytest

from cartrita.domain.errors import Malformed
from cartrita.domain.ids import RunId
from cartrita.kit import ids
from cartrita.surfaces.native.cursors import Cursor, event_id, parse_cursor


@pytest.mark.parametrize("seq", [0, 7, 999_999_999])
def test_an_event_id_is_a_cursor(seq: int) -> None:
    run = RunId(ids.uuid7())
    assert parse_cursor(event_id(run, seq)) == Cursor(ids.public("run", run), seq)


@pytest.mark.parametrize(
    "text",
    ["", "7", ".7", "run_1", "run_1.", "run_1.-1", "run_1.x", "run_1.\u0663", "run_1.1234567890"],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_cursor(text)
