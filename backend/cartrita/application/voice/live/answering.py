"""Answering: each turn that was heard becomes a message, which a run answers."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.runs.runs import Runs
from cartrita.application.voice.engines import Engine
from cartrita.application.voice.live.live_events import LiveClient, LiveFailure, TurnEnded
from cartrita.application.voice.live.options import LiveOptions
from cartrita.application.voice.live.turns import Turn
from cartrita.domain.errors import Busy, CartritaError
from cartrita.domain.ids import RunId
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted
from cartrita.kit import ids

log = structlog.get_logger(__name__)

_BUSY_RETRIES: Final = 3
_BUSY_PAUSE_S: Final = 1.0


class Talk:
    """What one `start` has asked for, what speaks then, and the conversation that goes on."""

    def __init__(self, options: LiveOptions, speaks: Sequence[Engine[SpeechSynthesizer]]) -> None:
        self.options = options
        self.speaks = speaks
        self.conversation = options.conversation_id


class Answering:
    """Answers turns one after the other, and has `speak` speak the answers of runs."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        runs: Runs,
        principal: Principal,
        client: LiveClient,
        speak: Callable[[RunId, Talk], None],
    ) -> None:
        self._tasks = tasks
        self._runs = runs
        self._principal = principal
        self._client = client
        self._speak = speak
        self._order = asyncio.Lock()
        self._open = set[asyncio.Task[None]]()

    async def answer(self, talk: Talk, turn: Turn) -> None:
        """Answer a turn after those before it; what goes wrong is told.

        It is answered too where whoever waits for it is cancelled, since nothing is heard any more.
        """
        task = self._tasks.create_task(self._answer(talk, turn))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait until all turns are answered."""
        if self._open:
            await asyncio.wait(self._open)

    def close(self) -> None:
        """The client has left: what was not sent yet is not sent."""
        for task in self._open:
            task.cancel()

    async def _answer(self, talk: Talk, turn: Turn) -> None:
        async with self._order:  # the next one goes on with the conversation of this one
            try:
                await self._send(talk, turn)
            except Exception:
                log.exception("answer_failed")
                error = CartritaError("Something broke on our side: say it again.")
                await self._client.tell(LiveFailure(error))

    async def _send(self, talk: Talk, turn: Turn) -> None:
        if not (talk.options.respond and turn.text):
            await self._client.tell(TurnEnded(turn))
            return
        try:
            self._client.require_room()
            admitted = await self._started(_command(talk, turn))
        except CartritaError as error:
            await self._client.tell(TurnEnded(turn))
            await self._client.tell(LiveFailure(error))
            return
        talk.conversation = ids.public("conv", admitted.conversation_id)
        await self._client.tell(TurnEnded(turn, admitted))
        if talk.speaks:
            self._speak(admitted.run_id, talk)

    async def _started(self, command: ChatCommand) -> Admitted:
        """The run that answers; what was said is not lost because much is going on for a moment."""
        for _ in range(_BUSY_RETRIES):
            try:
                return await self._runs.start(self._principal, command)
            except Busy as busy:
                await asyncio.sleep(busy.retry_after or _BUSY_PAUSE_S)
        return await self._runs.start(self._principal, command)


def _command(talk: Talk, turn: Turn) -> ChatCommand:
    options = talk.options
    return ChatCommand(
        message=Message(Role.USER, (Text(turn.text, spoken=turn.spoken),)),
        conversation_id=talk.conversation,
        client_msg_id=ids.uuid7().hex,
        provider=options.provider,
        model=options.model,
        agent=options.agent,
        instructions=options.instructions,
        approval=options.approval,
        busy=options.busy,
        last_words=True,
    )
