"""Messages that are said: transcribed, kept, and answered by a run."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, NamedTuple, TypeAlias

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.runs.runs import Runs
from cartrita.application.voice.spoken_files import SpokenFiles
from cartrita.application.voice.transcriptions import Transcriptions
from cartrita.application.work_in_turn import WorkInTurn
from cartrita.domain.errors import Conflict, NotFound, UnsupportedMedia
from cartrita.domain.files import StoredFile
from cartrita.domain.messages import Message, Role, Spoken, Text
from cartrita.domain.ports.conversations import MessageStore
from cartrita.domain.ports.runs import EarlierRequests
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted, Idempotency, message_id_reused
from cartrita.domain.speech import Transcript, TranscriptionOptions
from cartrita.kit import ids

CommandOf: TypeAlias = Callable[[Message], ChatCommand]
"""The command that sends a message."""
_PIECE: Final = 64 << 10


class SaidRecording(NamedTuple):
    """A recording as it came, under this file name, its hash, and how it is to be transcribed."""

    data: bytes
    name: str
    sha256: str
    options: TranscriptionOptions = TranscriptionOptions()
    transcriber: str | None = None


class SpokenMessage(NamedTuple):
    """What was said, and the run that answers it; silence is answered by none."""

    transcript: Transcript
    admitted: Admitted | None


class SpokenMessages:
    """Sends what is said. Recordings are kept as files of their conversations, if `keep` says so.

    `earlier` knows the requests that were made before.
    """

    def __init__(
        self,
        transcriptions: Transcriptions,
        runs: Runs,
        conversations: Conversations,
        messages: MessageStore,
        earlier: EarlierRequests,
        files: SpokenFiles,
        in_turn: WorkInTurn,
        *,
        keep: bool = True,
    ) -> None:
        self._transcriptions = transcriptions
        self._runs = runs
        self._conversations = conversations
        self._messages = messages
        self._earlier = earlier
        self._files = files
        self._in_turn = in_turn
        self._keep = keep

    def alone(
        self,
        principal: Principal,
        command_of: CommandOf,
        idempotency: Idempotency | None = None,
    ) -> AbstractAsyncContextManager[None]:
        """A context in which no equal request is heard and sent: it waits until none is.

        Where one was sent, though it still holds its name, that is waited for no longer. Raises
        IdempotencyMismatch.
        """
        client_msg_id = command_of(Message(Role.USER, ())).client_msg_id
        names: list[str] = []
        if idempotency is not None:
            names.append(f"key:{idempotency.route}:{idempotency.key}")
        if client_msg_id is not None:
            names.append(f"message:{client_msg_id}")

        async def sent() -> bool:
            found = await self._earlier.earlier(principal.owner_id, idempotency, client_msg_id)
            return found is not None

        return self._in_turn.holding(principal.owner_id, names, sent)

    async def hear(
        self,
        principal: Principal,
        said: SaidRecording,
        command_of: CommandOf,
        idempotency: Idempotency | None = None,
    ) -> SpokenMessage:
        """Transcribe a recording that is to be sent; who leaves meanwhile has sent nothing.

        A request that is made again has been sent already. Raises NotFound for its conversation,
        IdempotencyMismatch, Conflict where its client_msg_id was another message's, and what
        `Runs.require` and `Transcriptions.transcribe` raise.
        """
        asked = command_of(Message(Role.USER, ()))
        found = await self._earlier.earlier(principal.owner_id, idempotency, asked.client_msg_id)
        if found is not None:
            return await self._sent_before(principal, found, said, asked, idempotency)
        if asked.conversation_id is not None:
            await self._conversations.get(principal, asked.conversation_id)
        await self._runs.require(principal, asked.agent, asked.provider, asked.model)
        transcript = await self._transcriptions.transcribe(
            principal, said.data, said.name, said.options, said.transcriber
        )
        return SpokenMessage(transcript, None)

    async def send(
        self,
        principal: Principal,
        said: SaidRecording,
        heard: SpokenMessage,
        command_of: CommandOf,
        idempotency: Idempotency | None = None,
    ) -> SpokenMessage:
        """Start the run that answers what was heard. Silence is not sent.

        Of what fails nothing is kept. Raises what `Runs.start` raises, and StorageFull.
        """
        transcript = heard.transcript
        if heard.admitted is not None or not transcript.text.strip():
            return heard
        recording = await self._kept(principal, said)
        try:
            command = command_of(_message(transcript, said, recording))
            admitted = await self._started(principal, command, idempotency)
        except BaseException:
            await self._drop(principal, recording)
            raise
        if not admitted.created:  # an equal request came meanwhile, and was faster
            await self._drop(principal, recording)
            return await self._sent_before(principal, admitted, said, command, idempotency)
        if recording is not None:
            with suppress(NotFound):  # it was deleted meanwhile
                await self._files.keep(principal, recording, admitted.conversation_id)
        return SpokenMessage(transcript, admitted)

    async def _started(
        self, principal: Principal, command: ChatCommand, idempotency: Idempotency | None
    ) -> Admitted:
        """The run that answers: that of an equal request, which names another file, if it is there.

        Raises what `Runs.start` raises.
        """
        try:
            return await self._runs.start(principal, command, idempotency)
        except Conflict:
            found = await self._earlier.earlier(
                principal.owner_id, idempotency, command.client_msg_id
            )
            if found is None:
                raise
            return found

    async def _kept(self, principal: Principal, said: SaidRecording) -> StoredFile | None:
        """The file of a recording, unless none are kept, or none of its type."""
        if not self._keep:
            return None
        try:
            return await self._files.add(principal, said.name, _pieces(said.data))
        except UnsupportedMedia:
            return None

    async def _drop(self, principal: Principal, recording: StoredFile | None) -> None:
        if recording is not None:
            await self._files.drop(principal, recording)

    async def _sent_before(
        self,
        principal: Principal,
        admitted: Admitted,
        said: SaidRecording,
        command: ChatCommand,
        idempotency: Idempotency | None,
    ) -> SpokenMessage:
        """What was said in the message that a run answers.

        Raises NotFound if it was deleted, and Conflict if it was another one.
        """
        run = await self._runs.get(principal, ids.public("run", admitted.run_id))
        stored = await self._messages.get(principal.owner_id, run.user_message_id)
        if stored is None:
            raise NotFound.of("message")
        text = next((part for part in stored.message.parts if isinstance(part, Text)), Text(""))
        if text.spoken is None or not _may_be(said, text.spoken):
            raise message_id_reused()
        if command.conversation_id is not None:
            asked = await self._conversations.get(principal, command.conversation_id)
            if asked.id != admitted.conversation_id:
                raise message_id_reused()
        if idempotency is not None:
            await self._earlier.bind(principal.owner_id, idempotency, admitted.run_id)
        return SpokenMessage(_transcript(text.text, text.spoken), admitted)


def _may_be(said: SaidRecording, spoken: Spoken) -> bool:
    """Whether it may be this recording that was sent: older messages have no hash of theirs."""
    return spoken.sha256 in (None, said.sha256)


def _transcript(text: str, spoken: Spoken) -> Transcript:
    return Transcript(
        text=text,
        duration=spoken.duration,
        provider=spoken.provider,
        model=spoken.model,
        language=spoken.language,
        confidence=spoken.confidence,
        words=spoken.words,
    )


def _message(transcript: Transcript, said: SaidRecording, recording: StoredFile | None) -> Message:
    spoken = Spoken(
        duration=transcript.duration,
        provider=transcript.provider,
        model=transcript.model,
        language=transcript.language,
        confidence=transcript.confidence,
        words=transcript.words,
        recording_id=None if recording is None else recording.public_id,
        sha256=said.sha256,
    )
    return Message(Role.USER, (Text(transcript.text, spoken=spoken),))


async def _pieces(data: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]
