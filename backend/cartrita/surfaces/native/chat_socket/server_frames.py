"""Frames that the server sends on `/ws/chat` alone."""

from typing import Final

import msgspec

from cartrita.domain.runs import Admitted
from cartrita.kit import ids
from cartrita.surfaces.native.websocket.server_frames import SHARED_ANSWERS, encode


class AcceptedFrame(msgspec.Struct, frozen=True, tag_field="type", tag="accepted"):
    """A message with a `client_msg_id` is stored; `created` is false if it was already."""

    client_msg_id: str
    run_id: str
    created: bool


ANSWERS: Final = (AcceptedFrame, *SHARED_ANSWERS)


def accepted_frame(client_msg_id: str, admitted: Admitted) -> str:
    """The frame that tells that a message is stored."""
    run_id = ids.public("run", admitted.run_id)
    return encode(AcceptedFrame(client_msg_id, run_id, admitted.created))
