"""What the frames on `/ws/voice` do, and the socket that they make."""

from typing import Final

from cartrita.application.voice.live.options import BargeIn, LiveOptions
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.scopes import Operation
from cartrita.domain.speech import AudioFormat, PcmFormat
from cartrita.surfaces.native.request_bodies import RequestModel
from cartrita.surfaces.native.voice_socket.channel import VOICE_CHANNEL
from cartrita.surfaces.native.voice_socket.client_frames import (
    FRAMES,
    EndTurnFrame,
    StartFrame,
    StopFrame,
    StopSpeakingFrame,
    VoiceResumeFrame,
)
from cartrita.surfaces.native.voice_socket.voice_client import VoiceClient
from cartrita.surfaces.native.websocket.client_frames import Reference
from cartrita.surfaces.native.websocket.frame_attempts import FrameAttempts
from cartrita.surfaces.native.websocket.shared_actions import SharedActions
from cartrita.surfaces.native.websocket.socket_kind import SocketKind, SocketRoom
from cartrita.surfaces.services import services_of


class VoiceActions:
    """Hands what one client says to its live conversation."""

    deadline = None

    def __init__(self, room: SocketRoom) -> None:
        self._room = room
        self._services = services_of(room.connection)
        self._shared = SharedActions(room)
        self._attempts = FrameAttempts(room, FRAMES, self._act)
        self._conversation = self._services.live_voice.open(
            room.tasks, room.principal, VoiceClient(room)
        )

    @property
    def busy(self) -> bool:
        """Whether an answer is spoken."""
        return self._conversation.busy

    async def take(self, text: str) -> None:
        """Do what a frame says."""
        await self._attempts.take(text)

    async def take_bytes(self, data: bytes) -> None:
        """Hear a frame of audio."""
        try:
            self._conversation.hear(data)
        except CartritaError as error:
            await self._attempts.refuse(error, Reference())

    async def give_up(self) -> None:
        """Nothing waits here for what comes before it."""

    async def wind_up(self) -> None:
        """What was said is a turn, and answered."""
        await self._conversation.wind_up()

    def stop(self) -> None:
        """Listen and speak no more."""
        self._conversation.close()

    async def _act(self, frame: RequestModel) -> None:
        match frame:
            case StartFrame():
                await self._start(frame)
            case EndTurnFrame():
                self._conversation.end_turn()
            case StopSpeakingFrame():
                self._conversation.stop_speaking()
            case StopFrame():
                await self._conversation.stop()
            case VoiceResumeFrame():
                await self._resume(frame)
            case _:
                await self._shared.act(frame)

    async def _start(self, frame: StartFrame) -> None:
        if self._services.sockets.draining:
            raise Unavailable("This server is about to stop: come back.", code="draining")
        await self._conversation.start(options_of(frame))

    async def _resume(self, frame: VoiceResumeFrame) -> None:
        await self._shared.act(frame)
        run = await self._services.runs.get(self._room.principal, frame.run_id)
        self._conversation.resume(run.id, frame.from_sentence)


def options_of(frame: StartFrame) -> LiveOptions:
    """What a client begins to listen with."""
    return LiveOptions(
        audio=PcmFormat(frame.sample_rate, frame.channels),
        conversation_id=frame.conversation_id,
        provider=frame.provider,
        model=frame.model,
        agent=frame.agent_override,
        instructions=frame.system,
        language=frame.language,
        transcriber=frame.transcriber,
        respond=frame.respond,
        speak=frame.respond and frame.speak,
        synthesizer=frame.synthesizer,
        voice=frame.voice,
        format=AudioFormat(frame.speech_format),
        interim=frame.interim,
        hands_free=frame.turns_end == "with_pause",
        on_barge_in=BargeIn(frame.on_barge_in),
        approval=frame.approval,
        busy=frame.busy,
    )


VOICE: Final = SocketKind(VOICE_CHANNEL.path, FRAMES, Operation.VOICE, VoiceActions)
