"""What is said twice at once is one message, also where both copies were transcribed."""

from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.backend.fake_services import principal

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.runs.runs import Runs
from cartrita.application.voice.spoken_files import SpokenFiles
from cartrita.application.voice.spoken_messages import SaidRecording, SpokenMessage, SpokenMessages
from cartrita.application.voice.transcriptions import Transcriptions
from cartrita.application.work_in_turn import WorkInTurn
from cartrita.domain.errors import Conflict
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.messages import Message, Role, Spoken, Text
from cartrita.domain.ports.conversations import MessageStore
from cartrita.domain.ports.runs import EarlierRequests
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted, Idempotency, RunStatus
from cartrita.domain.speech import Transcript

FASTER = Admitted(RunId(UUID(int=1)), ConversationId(UUID(int=2)), RunStatus.RUNNING, created=False)
HEARD = Transcript(text="Moss?", duration=1.0, provider="deepgram", model="nova-3")
SPOKEN = Spoken(duration=1.0, provider="deepgram", model="nova-3", sha256="c0ffee")


class Stored:
    """A file, a run and a message, as far as they are looked at."""

    public_id = "file_1"
    user_message_id = "m"

    def __init__(self, spoken: Spoken | None = SPOKEN) -> None:
        self.message = Message(Role.USER, (Text("Moss?", spoken=spoken),))


class Server:
    """All that a message goes through, where an equal one was faster, or none was."""

    def __init__(self, earlier: Admitted | None, spoken: Spoken | None = SPOKEN) -> None:
        self._earlier = earlier
        self._stored = Stored(spoken)
        self.dropped: list[Stored] = []

    async def start(
        self, principal: Principal, command: ChatCommand, idempotency: Idempotency | None
    ) -> Admitted:
        raise Conflict("This client_msg_id was used for another message.")

    async def earlier(
        self, owner_id: str, idempotency: Idempotency | None, client_msg_id: str | None
    ) -> Admitted | None:
        return self._earlier

    async def get(self, *named: object) -> Stored:
        return self._stored

    async def add(self, principal: Principal, name: str, pieces: AsyncIterator[bytes]) -> Stored:
        return Stored()

    async def drop(self, principal: Principal, file: Stored) -> None:
        self.dropped.append(file)


async def send(server: Server) -> SpokenMessage:
    messages = SpokenMessages(
        cast("Transcriptions", server),
        cast("Runs", server),
        cast("Conversations", server),
        cast("MessageStore", server),
        cast("EarlierRequests", server),
        cast("SpokenFiles", server),
        cast("WorkInTurn", server),
    )
    return await messages.send(
        principal(),
        SaidRecording(b"sound", "said.wav", "c0ffee"),
        SpokenMessage(HEARD, None),
        lambda message: ChatCommand(message=message, client_msg_id="one"),
    )


async def test_the_slower_one_is_answered_by_the_run_of_the_faster() -> None:
    server = Server(FASTER)
    assert await send(server) == SpokenMessage(HEARD, FASTER)
    assert len(server.dropped) == 1


async def test_a_message_from_before_recordings_had_a_hash_is_answered_again() -> None:
    old = Spoken(duration=1.0, provider="deepgram", model="nova-3")
    assert await send(Server(FASTER, old)) == SpokenMessage(HEARD, FASTER)


@pytest.mark.parametrize("spoken", [None, replace(SPOKEN, sha256="beef")], ids=["text", "other"])
async def test_another_message_of_the_same_name_is_a_conflict(spoken: Spoken | None) -> None:
    with pytest.raises(Conflict):
        await send(Server(FASTER, spoken))


async def test_where_there_is_no_other_the_conflict_is_told() -> None:
    server = Server(None)
    with pytest.raises(Conflict):
        await send(server)
    assert len(server.dropped) == 1
