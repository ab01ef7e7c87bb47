"""Facts of a run and of calls, as tests need them."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from cartrita.domain.deltas import Delta, Finished, FinishReason, TextDelta
from cartrita.domain.events import RunCompleted, RunStarted, RunStopped, StopStatus
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import ModelRequest
from cartrita.domain.run_parts import RunPart
from cartrita.domain.runs import Claim, Ending, RunInput, RunStatus
from cartrita.domain.token_classes import TokenClass
from cartrita.domain.traces import CallContents, CalledFor, ModelCalled, RunTaken
from cartrita.domain.usage import Usage
from cartrita.kit.ids import uuid7

USAGE = Usage(20, 10, cache_read_tokens=5, reasoning_tokens=4)
AT = 1000.0
"""A moment of the clock that does not jump."""
WALL = 1_800_000_000.0


def run_id() -> RunId:
    return RunId(uuid7())


def claim(run: RunId, **changes: Any) -> Claim:
    conversation = ConversationId(UUID(int=5))
    given: dict[str, Any] = {
        "run_id": run,
        "owner_id": "ann",
        "surface": "native",
        "conversation_id": conversation,
        "user_message_id": MessageId(UUID(int=6)),
        "message_id": MessageId(UUID(int=7)),
        "input": RunInput(agent="supervisor", provider="openai", model="fake", key_id="key_1"),
        "attempt": 1,
        "last_seq": 1,
        "started": RunStarted("conv_5", "msg_7", "supervisor", "fake", "openai"),
        "seconds_left": 60.0,
        "cancelled": False,
        **changes,
    }
    return Claim(**given)


def taken(run: RunId, at: float = AT, **changes: Any) -> RunTaken:
    return RunTaken(claim(run, **changes), at, WALL)


def request(text: str = "How fast?") -> ModelRequest:
    return ModelRequest(
        owner_id="ann",
        model="fake",
        messages=(Message(Role.USER, (Text(text),)),),
        instructions=(Text("Be brief."),),
    )


def called(run: RunId, task_id: str | None = None, **changes: Any) -> ModelCalled:
    part = RunPart(run, ConversationId(UUID(int=5)), "supervisor", task_id)
    called_for = CalledFor(
        trace_id=run, at=AT, wall=WALL, owner_id="ann", key_id="key_1", surface="native", part=part
    )
    said: list[Delta] = [TextDelta("Slowly."), Finished(FinishReason.STOP, USAGE)]
    given: dict[str, Any] = {
        "called_for": called_for,
        "provider": "openai",
        "model": "fake",
        "embeds": False,
        "usage": USAGE,
        "costs": {TokenClass.INPUT: Decimal("0.2"), "web_search": Decimal("0.05")},
        "outcome": CallOutcome.COMPLETED,
        "error": None,
        "at": AT + 1,
        "seconds": 2.0,
        "first_token_seconds": 0.5,
        "finish_reason": FinishReason.STOP,
        "contents": CallContents(request, lambda: said, 100),
        **changes,
    }
    return ModelCalled(**given)


def completed(text: str = "Slowly.") -> Ending:
    event = RunCompleted(
        text=text,
        finish_reason=FinishReason.STOP,
        usage=USAGE,
        seconds=3.0,
        conversation_id="conv_5",
        message_id="msg_7",
        agent="supervisor",
        model="fake",
        provider="openai",
    )
    said = Message(Role.ASSISTANT, (Text(text),))
    return Ending(status=RunStatus.COMPLETED, event=event, usage=USAGE, message=said)


def stopped(kind: StopStatus, code: str) -> Ending:
    return Ending(
        status=RunStatus(kind.value),
        event=RunStopped(kind, code, "It ended.", recoverable=True),
        usage=USAGE,
        message=Message(Role.ASSISTANT, (Text("Slo"),)),
    )
