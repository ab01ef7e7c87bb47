"""The client of a live conversation, as its socket reaches it."""

from typing import Final

import msgspec
from msgspec import UNSET

from cartrita.application.voice.live.live_events import (
    AnswerSpoken,
    HeardInTurn,
    ListeningBegan,
    ListeningEnded,
    LiveEvent,
    LiveFailure,
    SentenceBegan,
    SentenceEnded,
    SomebodySpeaks,
    SpeechStopped,
    TurnEnded,
)
from cartrita.application.voice.live.turns import Turn
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Admitted
from cartrita.domain.speech import SpokenWord
from cartrita.kit import ids
from cartrita.surfaces.native.voice_socket.server_frames import (
    HeardWord,
    ListeningFrame,
    SpeechDoneFrame,
    SpeechEndFrame,
    SpeechStartedFrame,
    SpeechStartFrame,
    SpeechStoppedFrame,
    StoppedFrame,
    TranscriptFrame,
    TurnFrame,
)
from cartrita.surfaces.native.websocket.client_frames import Reference
from cartrita.surfaces.native.websocket.server_frames import encode, error_frame
from cartrita.surfaces.native.websocket.socket_kind import SocketRoom

_PLACES: Final = 3


class VoiceClient:
    """Sends what happens as frames, and follows the runs that answer; implements `LiveClient`."""

    def __init__(self, room: SocketRoom) -> None:
        self._room = room

    async def tell(self, event: LiveEvent) -> None:
        """See `LiveClient.tell`. The events of a run follow the turn that it answers."""
        await self._room.send(frame_of(event))
        if isinstance(event, TurnEnded) and event.admitted is not None:
            self._room.followed.follow(event.admitted.run_id)

    async def play(self, audio: bytes) -> None:
        """See `LiveClient.play`."""
        await self._room.send_bytes(audio)

    def require_room(self) -> None:
        """See `LiveClient.require_room`."""
        self._room.followed.require_room()

    def rest(self) -> None:
        """See `LiveClient.rest`."""
        self._room.rest()


def frame_of(event: LiveEvent) -> str:
    """An event as it is sent."""
    if isinstance(event, LiveFailure):
        run_id = None if event.run_id is None else _public(event.run_id)
        return error_frame(event.error, Reference(run_id=run_id))
    frame = _heard(event) or _spoken(event)
    assert frame is not None
    return encode(frame)


def _heard(event: LiveEvent) -> msgspec.Struct | None:
    match event:
        case ListeningBegan():
            return ListeningFrame(
                turn=event.turn,
                transcriber=event.transcriber,
                synthesizer=event.synthesizer or UNSET,
                speech_format=UNSET if event.format is None else event.format.value,
                sample_rate=event.audio.sample_rate,
            )
        case SomebodySpeaks(at):
            return SpeechStartedFrame(at)
        case HeardInTurn():
            return _transcript(event)
        case TurnEnded(turn, admitted):
            return _turn(turn, admitted)
        case ListeningEnded(reason):
            return StoppedFrame(UNSET if reason is None else reason.code)
        case _:
            return None


def _spoken(event: LiveEvent) -> msgspec.Struct | None:
    match event:
        case SentenceBegan():
            return SpeechStartFrame(
                run_id=_public(event.run_id),
                sentence=event.sentence,
                text=event.text,
                format=event.format.value,
                sample_rate=event.sample_rate or UNSET,
                synthesizer=event.synthesizer,
            )
        case SentenceEnded(run_id, sentence, seconds):
            lasts = UNSET if seconds is None else seconds
            return SpeechEndFrame(run_id=_public(run_id), sentence=sentence, seconds=lasts)
        case AnswerSpoken(run_id):
            return SpeechDoneFrame(_public(run_id))
        case SpeechStopped(run_id, reason, sentence):
            return SpeechStoppedFrame(_public(run_id), reason.value, sentence)
        case _:
            return None


def _transcript(event: HeardInTurn) -> TranscriptFrame:
    heard = event.heard
    return TranscriptFrame(
        turn=event.turn,
        text=heard.text,
        start=round(heard.start, _PLACES),
        duration=round(heard.duration, _PLACES),
        final=heard.final,
        words=_words(heard.words) or UNSET,
        confidence=UNSET if heard.confidence is None else heard.confidence,
        language=heard.language or UNSET,
    )


def _turn(turn: Turn, admitted: Admitted | None) -> TurnFrame:
    frame = TurnFrame(
        turn=turn.number,
        text=turn.text,
        duration=turn.duration,
        words=_words(turn.words),
        language=turn.language or UNSET,
    )
    if admitted is None:
        return frame
    return msgspec.structs.replace(
        frame,
        run_id=_public(admitted.run_id),
        conversation_id=ids.public("conv", admitted.conversation_id),
    )


def _words(words: tuple[SpokenWord, ...]) -> tuple[HeardWord, ...]:
    return tuple(
        HeardWord(
            word.text, word.start, word.end, UNSET if word.confidence is None else word.confidence
        )
        for word in words
    )


def _public(run_id: RunId) -> str:
    return ids.public("run", run_id)
