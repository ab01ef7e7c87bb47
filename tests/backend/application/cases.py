"""Use cases of runs over a few runs and messages."""

from typing import Any, cast

from tests.backend.application.stand_ins import (
    BEGIN,
    Branch,
    Provider,
    RunBook,
    Shelf,
    gateway,
    said,
)

from cartrita.application.runs import Runs
from cartrita.domain.conversations import Conversation
from cartrita.domain.messages import Role, StoredMessage
from cartrita.domain.ports import ConversationStore
from cartrita.domain.principals import Principal
from cartrita.domain.runs import (
    Admission,
    Idempotency,
)
from cartrita.kit.ids import ConversationId, public, uuid7

ANN, BOB = Principal("ann", "key"), Principal("bob", "key")
KEY = Idempotency("chat", "k", b"h")
TALK = Conversation(
    id=ConversationId(uuid7()), owner_id="ann", title="t", created_at=BEGIN, updated_at=BEGIN,
    external_id="theirs",
)  # fmt: skip
CONV = public("conv", TALK.id)


class Case:
    """Use cases over a few runs and messages."""

    def __init__(self, *messages: StoredMessage, book: RunBook | None = None, **given: Any) -> None:
        self.book = book or RunBook()
        shelf = cast("ConversationStore", Shelf(TALK))
        ports = self.book, self.book, self.book, shelf, Branch(*messages)
        self.cases = Runs(*ports, gateway(Provider()), **given)

    @property
    def admission(self) -> Admission:
        [only] = self.book.admitted
        return only


def in_talk(text: str, role: Role = Role.USER, **values: Any) -> StoredMessage:
    return said(text, role, conversation_id=TALK.id, **values)
