"""The Runs use cases on fake ports with a few runs and messages."""

from typing import Any, cast

from tests.backend.application.fakes import (
    BEGIN,
    FakeConversationStore,
    FakeMessageStore,
    FakeRunPorts,
    gateway,
    stored_message,
)
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.application.conversations.conversations import Conversations
from cartrita.application.files.context import FileContext
from cartrita.application.files.texts import FileTexts
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.runs.model_runs import ModelRuns
from cartrita.application.runs.runs import Runs
from cartrita.domain.conversations import Conversation
from cartrita.domain.ids import ConversationId
from cartrita.domain.messages import Message, Role, StoredMessage, Text
from cartrita.domain.ports.blobs import BlobStore
from cartrita.domain.ports.conversations import ConversationRemoval, ConversationStore
from cartrita.domain.ports.files import FileStore
from cartrita.domain.ports.runs import RunRemoval
from cartrita.domain.principals import Principal
from cartrita.domain.runs import (
    Admission,
    Idempotency,
)
from cartrita.kit.ids import public, uuid7
from cartrita.tools.toolbox import Toolbox

ANN, BOB = Principal("ann", "key"), Principal("bob", "key")
KEY = Idempotency("chat", "k", b"h")
TALK = Conversation(
    id=ConversationId(uuid7()), owner_id="ann", title="t", created_at=BEGIN, updated_at=BEGIN,
    external_id="theirs",
)  # fmt: skip
CONV = public("conv", TALK.id)


NO_FILES = FileContext(
    cast("FileStore", None),
    cast("BlobStore", None),
    cast("FileTexts", None),
    characters=1000,
    wait_s=0,
)


class RunsFixture:
    """The Runs use cases on fake ports."""

    def __init__(
        self,
        *messages: StoredMessage,
        ports: FakeRunPorts | None = None,
        conversation: Conversation = TALK,
        models: AgentModelChoice | None = None,
        agent_context_tokens: int | None = None,
        **given: Any,
    ) -> None:
        self.ports = ports or FakeRunPorts()
        store = FakeMessageStore(*messages)
        conversations = Conversations(
            cast("ConversationStore", FakeConversationStore(conversation)),
            cast("ConversationRemoval", None),
            store,
            self.ports,
            self.ports,
        )
        agents = AgentRegistry(built_in_agents())
        run_ports = self.ports, self.ports, self.ports
        answering = gateway(ScriptedProvider())
        models = models or AgentModelChoice(answering, Toolbox())
        stores = conversations, store
        self.runs = Runs(*run_ports, *stores, answering, agents, models, NO_FILES, **given)
        no_removal = cast("RunRemoval", None)
        self.model_runs = ModelRuns(
            self.runs,
            self.ports,
            *stores,
            no_removal,
            agents,
            models,
            NO_FILES,
            agent_context_tokens=agent_context_tokens,
            **given,
        )

    @property
    def admission(self) -> Admission:
        [only] = self.ports.admitted
        return only


def ask(text: str, **values: Any) -> ChatCommand:
    """The command of a message of the user with this text."""
    return ChatCommand(message=Message(Role.USER, (Text(text),)), **values)


def in_talk(text: str, role: Role = Role.USER, **values: Any) -> StoredMessage:
    return stored_message(text, role, conversation_id=TALK.id, **values)
