"""Cursors: positions in runs' logs, as event ids and Last-Event-ID carry them."""

import msgspec

from cartrita.domain.errors import Malformed
from cartrita.domain.ids import RunId
from cartrita.kit import ids


class Cursor(msgspec.Struct, frozen=True):
    """A position in a run's log: `seq` is the last event that the reader has received."""

    run: str
    seq: int


def event_id(run_id: RunId, seq: int) -> str:
    """`run_0192...c3.7`: the cursor after event `seq` of a run."""
    return f"{ids.public('run', run_id)}.{seq}"


def parse_cursor(text: str) -> Cursor:
    """The cursor in an event id. Raises Malformed."""
    run, _, seq = text.rpartition(".")
    if not run or not seq.isascii() or not seq.isdecimal() or len(seq) > 9:
        raise Malformed(
            "Last-Event-ID is not an id of our events, such as run_0193b0c3a5d8.7: "
            "leave it out to begin anew."
        )
    return Cursor(run, int(seq))
