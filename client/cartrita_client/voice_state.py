"""What a live conversation knows: how far each answer was read and heard, without any I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cartrita_client.answers import error_of_frame
from cartrita_client.errors import CartritaError, NotCartrita
from cartrita_client.events import read_event
from cartrita_client.generated import models
from cartrita_client.live_runs import RunState
from cartrita_client.live_state import Command, read_frame, written
from cartrita_client.returns import Returns
from cartrita_client.sockets import Frame
from cartrita_client.voice_events import (
    Refused,
    RunEvent,
    SpeechAudio,
    VoiceEvent,
    VoiceFrame,
    read_voice_frame,
)

_LARGEST = 32 * 1024
"""In bytes: a frame of sound has no more, and whole samples."""
_LOST_WITH_A_CUT = frozenset({"start", "resume", "stop"})
"""Each greeting says these anew, where they still hold."""


@dataclass(slots=True, eq=False)
class SpokenAnswer:
    """An answer that is read and heard; `heard` is its first sentence that was not heard whole."""

    run: RunState
    spoken: bool
    heard: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing more comes of it."""
        return self.run.ended and self.spoken


class VoiceState:
    """Takes the server's frames and says which are to be sent."""

    def __init__(self, auth: dict[str, Any], returns: Returns, start: dict[str, Any]) -> None:
        self._auth = auth
        self._returns = returns
        self._start = {"sample_rate": 16_000, **start, "type": "start", "encoding": "linear16"}
        self._answers: dict[str, SpokenAnswer] = {}
        self._commands: deque[Command] = deque()
        self._sentence: models.SpeechStartFrame | None = None
        self._stopping = False
        self._all_heard = False
        self._last_error: CartritaError | None = None
        self._deaf: CartritaError | None = None
        self.unread: deque[VoiceEvent] = deque()
        self.broken: CartritaError | None = None

    @property
    def wanted(self) -> bool:
        """Whether anything is still to come."""
        return not self.ended

    @property
    def ended(self) -> bool:
        """Whether all was heard, and all of it answered and spoken."""
        return self._all_heard and not self._answers and self._deaf is None

    def say(self, frame: dict[str, Any]) -> tuple[Command, list[str]]:
        """A frame, and what is sent for it: a ping behind it tells its fate."""
        command = Command(frame, None)
        self._commands.append(command)
        return command, command.frames

    def stop(self) -> tuple[Command, list[str]]:
        """No more is said."""
        self._stopping = True
        return self.say({"type": "stop"})

    def sound(self, pcm: bytes) -> list[bytes]:
        """What is said, in frames. Raises ValueError for half a sample."""
        if len(pcm) % 2:
            raise ValueError("Samples have 16 bits: this is an odd number of bytes.")
        if self._deaf is not None:
            return []
        return [pcm[at : at + _LARGEST] for at in range(0, len(pcm), _LARGEST)]

    def greeting(self) -> list[Frame]:
        """What is sent first over a new connection: who calls, how to listen, and cursors."""
        again = [one for one in self._commands if one.frame["type"] not in _LOST_WITH_A_CUT]
        self._commands.clear()
        self._returns.told = self._sentence = None
        anew = [Command(self._start, None), *map(_resumption, self._answers.values()), *again]
        self._commands.extend(anew + ([Command({"type": "stop"}, None)] if self._stopping else []))
        frames = [written(self._auth)] if self._auth["api_key"] else []
        return [*frames, *(frame for one in self._commands for frame in one.frames)]

    def due(self) -> list[Frame]:
        """Nothing is put off here."""
        return []

    def next_due(self) -> float | None:
        """Never."""
        return None

    def take(self, content: Frame) -> None:
        """Take a frame of the server. Raises NotCartrita for what is none."""
        if isinstance(content, bytes):
            self._take_sound(content)
            return
        frame = read_frame(content)
        if "event" in frame:
            self._take_event(frame)
        elif "error" in frame:
            self._take_error(frame)
        elif frame.get("type") == "pong":
            self._returns.heard()
            if self._commands:
                self._commands.popleft().handled = True
        elif frame.get("type") == "drain":
            self._returns.drain(frame.get("retry_after"))
        elif (told := read_voice_frame(frame)) is not None:
            self._take_told(told)

    def closed(self, code: int | None) -> float:
        """After a connection ended: seconds to wait before the next. Raises if there is none."""
        return self._returns.closed(code)

    def failed(self, problem: CartritaError | None, told: float | None = None) -> float:
        """After a connection could not be made: seconds to wait. Raises after too many."""
        return self._returns.failed(problem, told)

    def break_off(self, problem: CartritaError) -> None:
        """Nothing more can come: everybody who waits is told why."""
        self.broken = problem

    def _take_sound(self, audio: bytes) -> None:
        if self._sentence is not None:
            sentence = self._sentence
            self.unread.append(SpeechAudio(sentence.run_id, sentence.sentence, audio))

    def _take_event(self, frame: dict[str, Any]) -> None:
        answer = self._answers.get(str(frame.get("run_id")))
        if answer is None:
            return
        number = frame["seq"] if isinstance(frame.get("seq"), int) else None
        run = answer.run
        try:
            event = read_event(frame, None if number is None else f"{run.run_id}.{number}")
        except ValueError as problem:
            raise NotCartrita(f"A frame cannot be read: {problem}") from problem
        run.take(event, number)
        self.unread.extend(RunEvent(run.run_id, each) for each in _drained(run))
        self._settle(answer)

    def _take_error(self, frame: dict[str, Any]) -> None:
        """A refusal is of the first command that fits; a pong behind that is to come still."""
        error, run_id = error_of_frame(frame), frame.get("run_id")
        if self._deaf is not None and error.code == "not_started":
            return
        if run_id is None:
            self._last_error = error
        open_ones = (one for one in self._commands if one.error is None)
        command = next((one for one in open_ones if one.frame.get("run_id") == run_id), None)
        if command is None:
            self._returns.told = error
        else:
            command.error = error
        kind = None if command is None else command.frame["type"]
        if kind == "start":
            self.broken = error
            return
        if kind == "resume":
            self._answers.pop(str(run_id), None)
        if kind != "approve":
            self.unread.append(Refused(error, run_id))

    def _take_told(self, told: VoiceFrame) -> None:
        self._returns.heard()
        match told:
            case models.TurnFrame(run_id=str() as run_id):
                self._start["conversation_id"] = told.conversation_id
                spoken = self._start.get("speak") is False
                self._answers[run_id] = SpokenAnswer(RunState(run_id=run_id), spoken)
            case models.SpeechStartFrame():
                self._sentence = told
            case models.SpeechEndFrame() | models.SpeechDoneFrame() | models.SpeechStoppedFrame():
                self._take_end(told)
            case models.StoppedFrame():
                self._take_last()
            case _:
                pass
        self.unread.append(told)
        self._break_if_deaf()

    def _take_last(self) -> None:
        """All is heard; where nobody asked for an end, the error before it made it."""
        self._all_heard = True
        if not self._stopping:
            self._deaf = self._last_error
        self._stopping = True

    def _break_if_deaf(self) -> None:
        """What was said before is answered first."""
        if self._deaf is not None and not self._answers:
            self.broken = self._deaf

    def _take_end(
        self, told: models.SpeechEndFrame | models.SpeechDoneFrame | models.SpeechStoppedFrame
    ) -> None:
        self._sentence = None
        answer = self._answers.get(told.run_id)
        if answer is None:
            return
        if isinstance(told, models.SpeechEndFrame):
            answer.heard = told.sentence + 1
        else:
            answer.spoken = True
            self._settle(answer)

    def _settle(self, answer: SpokenAnswer) -> None:
        if answer.settled:
            self._answers.pop(answer.run.run_id, None)
            self._break_if_deaf()


def _resumption(answer: SpokenAnswer) -> Command:
    run = answer.run
    place = {"run_id": run.run_id, "after": run.seq, "from_sentence": answer.heard}
    return Command({"type": "resume", **place}, None)


def _drained(run: RunState) -> Iterator[Any]:
    while run.unread:
        yield run.unread.popleft()
