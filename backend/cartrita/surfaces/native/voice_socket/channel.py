"""`/ws/voice` as the contract describes it."""

from types import MappingProxyType
from typing import Final

from cartrita.surfaces.native.voice_socket.client_frames import FRAMES
from cartrita.surfaces.native.voice_socket.server_frames import ANSWERS
from cartrita.surfaces.native.websocket.channel import Channel

VOICE_CHANNEL: Final = Channel(
    name="voice",
    sending="send_voice",
    receiving="receive_voice",
    description="A live conversation: what is said is transcribed and answered, and the answers "
    "are spoken while they are being written.",
    path="/ws/voice",
    frames=FRAMES,
    answers=ANSWERS,
    sent_binary=MappingProxyType({"RecordedAudio": "What is said, in the format of `start`."}),
    received_binary=MappingProxyType(
        {"SpokenAudio": "Speech, of the sentence of the last `speech_start`."}
    ),
)
