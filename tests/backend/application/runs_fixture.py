"""The Runs use cases on fake ports with a few runs and messages."""

from typing import Any, cast

from tests.backend.application.fakes import (
    BEGIN,
    FakeConversationStore,
    FakeMessageStore,
    FakeRunPorts,
    ScriptedProvider,
    gateway,
    stored_message,
)

from cartrita.application.runs import Runs
from cartrita.domain.conversations import Conversation
from cartrita.domain.ids import ConversationId
from cartrita.domain.messages import Role, StoredMessage
from cartrita.domain.ports.conversations import ConversationStore
from cartrita.domain.principals import Principal
from cartrita.domain.runs import (
    Admission,
    Idempotency,
)
from cartrita.kit.ids import public, uuid7

ANN, BOB = Principal("ann", "key"), Principal("bob", "key")
KEY = Idempotency("chat", "k", b"h")
TALK = Conversation(
    id=ConversationId(uuid7()), owner_id="ann", title="t", created_at=BEGIN, updated_at=BEGIN,
    external_id="theirs",
)  # fmt: skip
CONV = public("conv", TALK.id)


class RunsFixture:
    """The Runs use cases on fake ports."""

    def __init__(
        self, *messages: StoredMessage, ports: FakeRunPorts | None = None, **given: Any
    ) -> None:
        self.ports = ports or FakeRunPorts()
        conversations = cast("ConversationStore", FakeConversationStore(TALK))
        arguments = self.ports, self.ports, self.ports, conversations, FakeMessageStore(*messages)
        self.runs = Runs(*arguments, gateway(ScriptedProvider()), **given)

    @property
    def admission(self) -> Admission:
        [only] = self.ports.admitted
        return only


def in_talk(text: str, role: Role = Role.USER, **values: Any) -> StoredMessage:
    return stored_message(text, role, conversation_id=TALK.id, **values)
