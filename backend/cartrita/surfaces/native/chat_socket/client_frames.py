"""Frames that clients send on `/ws/chat`."""

from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field

from cartrita.surfaces.native.chat_requests import ChatRequest
from cartrita.surfaces.native.websocket.client_frames import MAX_SEQ, SHARED_FRAMES, FrameModels


class ChatFrame(ChatRequest):
    """A message to be answered; its events follow."""

    type: Literal["chat"]
    client_seq: Annotated[
        int | None,
        Field(
            ge=1,
            le=MAX_SEQ,
            description="Its number among the numbered messages of this socket, from 1: it waits "
            "for those before it.",
        ),
    ] = None


FRAMES: Final[FrameModels] = MappingProxyType({**SHARED_FRAMES, "chat": ChatFrame})
