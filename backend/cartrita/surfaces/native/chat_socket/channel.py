"""`/ws/chat` as the contract describes it."""

from typing import Final

from cartrita.surfaces.native.chat_socket.client_frames import FRAMES
from cartrita.surfaces.native.chat_socket.server_frames import ANSWERS
from cartrita.surfaces.native.websocket.channel import Channel

CHAT_CHANNEL: Final = Channel(
    name="chat",
    sending="send",
    receiving="receive",
    description="Several runs on one connection, with what the streams send.",
    path="/ws/chat",
    frames=FRAMES,
    answers=ANSWERS,
)
