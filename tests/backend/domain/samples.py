"""Strategies for events, as a provider's dialect may make them."""

from typing import Any

from hypothesis import strategies as st

from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import ErrorKind
from cartrita.domain.events import (
    ApprovalAsked,
    ApprovalSettled,
    Event,
    HistorySummarized,
    ModelAccepted,
    ProviderAwaited,
    ReasoningAppended,
    ReasoningSealed,
    RunCompleted,
    RunStarted,
    RunStopped,
    SourceFound,
    StopStatus,
    TaskCompleted,
    TaskProgressed,
    TaskStarted,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
    VendorPartAdded,
)
from cartrita.domain.failovers import Failover
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
SECONDS = st.floats(0, 1e6)
COUNTS = st.integers(0, 10**9)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
OBJECTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(WORDS, JSON, max_size=4)
CITATIONS = st.builds(
    Citation,
    title=WORDS,
    url=st.none() | WORDS,
    snippet=st.none() | WORDS,
    index=COUNTS,
    start=st.none() | COUNTS,
    vendor=OBJECTS,
)
SECRETS = st.none() | WORDS
TASKS = st.none() | WORDS
RECEIPTS = st.builds(
    Receipt,
    field=WORDS,
    source=WORDS,
    target=WORDS,
    kind=st.sampled_from(["approximated", "dropped"]),
    why=WORDS,
)
FAILOVERS = st.builds(Failover, provider=WORDS, model=WORDS, code=WORDS, continued=st.booleans())
USAGES = st.builds(
    Usage,
    input_tokens=COUNTS,
    output_tokens=COUNTS,
    cache_read_tokens=COUNTS,
    cache_write_tokens=COUNTS,
    reasoning_tokens=COUNTS,
    estimated=st.booleans(),
)
STARTED = st.builds(
    RunStarted,
    conversation_id=WORDS,
    message_id=WORDS,
    agent=WORDS,
    model=WORDS,
    provider=WORDS,
    resumed=st.booleans(),
)
COMPLETED = st.builds(
    RunCompleted,
    text=WORDS,
    finish_reason=st.sampled_from(FinishReason),
    usage=USAGES,
    seconds=SECONDS,
    conversation_id=WORDS,
    message_id=WORDS,
    agent=WORDS,
    model=WORDS,
    provider=WORDS,
    sources=st.lists(CITATIONS, max_size=2).map(tuple),
    stop_sequence=st.none() | WORDS,
    vendor_reason=st.none() | WORDS,
    refused=st.booleans(),
)
STOPPED = st.builds(
    RunStopped,
    kind=st.sampled_from(StopStatus),
    code=WORDS,
    message=WORDS,
    recoverable=st.booleans(),
    usage=USAGES,
    details=OBJECTS,
    retry_after=st.none() | SECONDS,
    error_kind=st.sampled_from(ErrorKind),
)
TERMINALS = COMPLETED | STOPPED
LOGPROBS = st.just(()) | st.lists(OBJECTS, max_size=2).map(tuple)
SPOKEN = st.builds(
    TextAppended, text=WORDS, position=COUNTS, logprobs=LOGPROBS, refusal=st.booleans()
) | st.builds(ReasoningAppended, text=WORDS)
MIDDLES = (
    SPOKEN
    | st.builds(ProviderAwaited, provider=WORDS, seconds=SECONDS, position=COUNTS)
    | st.builds(
        ToolCalled,
        call_id=WORDS,
        name=WORDS,
        arguments=OBJECTS,
        own=st.booleans(),
        task_id=TASKS,
    )
    | st.builds(
        ToolReturned, call_id=WORDS, name=WORDS, result=JSON, success=st.booleans(), task_id=TASKS
    )
    | st.builds(SourceFound, citation=CITATIONS, task_id=TASKS)
    | st.builds(TaskStarted, task_id=WORDS, call_id=WORDS, agent=WORDS, description=WORDS)
    | st.builds(TaskProgressed, task_id=WORDS, status=WORDS, progress=st.none() | st.floats(0, 1))
    | st.builds(
        TaskCompleted,
        task_id=WORDS,
        agent=WORDS,
        result=WORDS,
        success=st.booleans(),
        seconds=SECONDS,
    )
    | st.builds(
        ApprovalAsked,
        approval_id=WORDS,
        call_id=WORDS,
        name=WORDS,
        arguments=OBJECTS,
        arguments_hash=WORDS,
        expires_at=WORDS,
        task_id=TASKS,
    )
    | st.builds(ApprovalSettled, approval_id=WORDS, decision=WORDS)
    | st.builds(HistorySummarized, messages=st.integers(1, 1000))
    | st.builds(ReasoningSealed, signature=SECRETS, encrypted=SECRETS, origin=SECRETS, id=SECRETS)
    | st.builds(VendorPartAdded, part=st.builds(VendorPart, origin=WORDS, data=OBJECTS))
    | st.builds(
        ModelAccepted,
        provider=WORDS,
        model=WORDS,
        receipts=st.lists(RECEIPTS, max_size=2).map(tuple),
        failovers=st.lists(FAILOVERS, max_size=2).map(tuple),
    )
    | st.builds(
        UsageRecorded,
        usage=USAGES,
        seconds=SECONDS,
        first_token_seconds=st.none() | SECONDS,
        calls=COUNTS,
        agent=TASKS,
        task_id=TASKS,
        cost=st.none() | SECONDS,
    )
)


@st.composite
def bodies(draw: st.DrawFn, middles: st.SearchStrategy[Event] = MIDDLES) -> list[Event]:
    """What a run may say between its first and its last event: positions count its text."""
    position = 0
    events: list[Event] = []
    for event in draw(st.lists(middles, max_size=12)):
        if isinstance(event, TextAppended):
            events.append(TextAppended(event.text, position, event.logprobs))
            position += len(event.text)
        else:
            events.append(event)
    return events


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A whole log."""
    return [draw(STARTED), *draw(bodies()), draw(TERMINALS)]
