"""Encodes the items of a run's tail as server-sent event frames.

Each item becomes exactly one frame. The position in the queue of a conversation is not logged: its
frame has no id and does not move the reader's cursor.
"""

import msgspec

from cartrita.domain.events import LoggedEvent
from cartrita.domain.runs import Queued, TailItem
from cartrita.kit import sse
from cartrita.surfaces.native.cursors import event_id
from cartrita.surfaces.native.event_rendering import is_public, render

HEARTBEAT = sse.comment("")
_HIDDEN_EVENT = sse.comment("not for readers")
_encoder = msgspec.json.Encoder()


def frame(item: TailItem | None) -> bytes:
    """Encode one item as a frame."""
    match item:
        case None:
            return HEARTBEAT
        case Queued():
            return sse.frame(_encoder.encode(render(item)))
        case LoggedEvent(event=event) if not is_public(event):
            # No event is dispatched, but the reader's cursor moves (WHATWG HTML 9.2.6).
            return b"id: %s\n" % event_id(item.run_id, item.seq).encode() + _HIDDEN_EVENT
        case _:
            return sse.frame(_encoder.encode(render(item)), id=event_id(item.run_id, item.seq))
