"""A run, and errors of answers that stopped early."""

from datetime import UTC, datetime

from cartrita.domain.errors import ErrorKind
from cartrita.domain.events import RunStopped, StopStatus
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.runs import Run, RunInput, RunStatus
from cartrita.kit import ids
from cartrita.surfaces.native.waiting import AnswerStopped

RUN = Run(
    id=RunId(ids.uuid7()),
    owner_id="a",
    conversation_id=ConversationId(ids.uuid7()),
    message_id=MessageId(ids.uuid7()),
    user_message_id=MessageId(ids.uuid7()),
    surface="native",
    status=RunStatus.FAILED,
    agent="assistant",
    provider="p",
    model="m",
    input=RunInput(agent="assistant", provider="p", model="m"),
    attempt=1,
    created_at=datetime(2026, 11, 21, tzinfo=UTC),
    started_at=None,
    ended_at=None,
    cancel_requested=False,
    last_seq=3,
    usage=None,
    error_code=None,
)


def stopped(
    kind: StopStatus, error_kind: ErrorKind = ErrorKind.INTERNAL, **details: str
) -> AnswerStopped:
    event = RunStopped(
        kind, "code", "It ended.", recoverable=True, details={**details}, error_kind=error_kind
    )
    return AnswerStopped(event, RUN, "Hel")
