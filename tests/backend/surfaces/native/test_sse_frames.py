"""Every event becomes one frame, the same bytes each time."""

from typing import get_args

import msgspec
import pytest

from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import (
    ApprovalAsked,
    ApprovalSettled,
    Event,
    HistorySummarized,
    LoggedEvent,
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
    UnknownEvent,
    UsageRecorded,
    VendorPartAdded,
)
from cartrita.domain.ids import RunId
from cartrita.domain.messages import Citation, Message, Reasoning, Role, Text, VendorPart
from cartrita.domain.runs import Queued, Snapshot
from cartrita.domain.usage import Usage
from cartrita.kit import ids, sse
from cartrita.surfaces.native.cursors import event_id
from cartrita.surfaces.native.event_rendering import is_public, is_terminal
from cartrita.surfaces.native.event_schemas import ChatEvent
from cartrita.surfaces.native.sse_frames import frame

RUN = RunId(ids.parse("run", "0193b0c3a5d87c1e9f4d2b6a8e0c4f17") or ids.uuid7())
PUBLIC = "run_0193b0c3a5d87c1e9f4d2b6a8e0c4f17"

HIDDEN = {
    ApprovalSettled,
    HistorySummarized,
    UnknownEvent,
    ModelAccepted,
    ReasoningSealed,
    VendorPartAdded,
}
TABLE: list[tuple[Event, str]] = [
    (
        RunStarted("conv_1", "msg_1", "assistant", "m", "p"),
        '{"event":"stream_start","data":{"conversation_id":"conv_1","run_id":"' + PUBLIC + '",'
        '"message_id":"msg_1","agent_type":"assistant","model":"m"}}',
    ),
    (
        RunStarted("conv_1", "msg_1", "assistant", "m", "p", resumed=True),
        '{"event":"stream_start","data":{"conversation_id":"conv_1","run_id":"' + PUBLIC + '",'
        '"message_id":"msg_1","agent_type":"assistant","model":"m","resumed":true}}',
    ),
    (
        RunStarted("conv_1", "msg_1", "assistant", "m", "p", heard="Moss?"),
        '{"event":"stream_start","data":{"conversation_id":"conv_1","run_id":"' + PUBLIC + '",'
        '"message_id":"msg_1","agent_type":"assistant","model":"m","transcription":"Moss?"}}',
    ),
    (
        TextAppended("Hel\nö\u2028", 3),
        '{"event":"token","data":{"content":"Hel\\nö\u2028","delta":"Hel\\nö\u2028","position":3}}',
    ),
    (
        ProviderAwaited("p", 2.5, 3),
        '{"event":"queued","data":{"position":3,"eta_seconds":2.5,"provider":"p"}}',
    ),
    (ReasoningAppended("hm"), '{"event":"reasoning","data":{"delta":"hm"}}'),
    (
        ToolCalled("c1", "search", {"q": [1, None]}),
        '{"event":"function_call","data":'
        '{"call_id":"c1","function_name":"search","arguments":{"q":[1,null]}}}',
    ),
    (
        ToolReturned("c1", "search", ["found"], success=False),
        '{"event":"tool_result","data":'
        '{"call_id":"c1","tool_name":"search","result":["found"],"success":false}}',
    ),
    (
        ToolCalled("c1", "search", {}, own=True, task_id="task_1"),
        '{"event":"function_call","data":'
        '{"call_id":"c1","function_name":"search","arguments":{},"task_id":"task_1"}}',
    ),
    (
        TaskStarted("task_1", "c1", "writer", "Write."),
        '{"event":"agent_task_start","data":{"task_id":"task_1","agent_type":"writer",'
        '"description":"Write.","call_id":"c1"}}',
    ),
    (
        TaskProgressed("task_1", "It writes.", 0.5),
        '{"event":"agent_task_progress","data":{"task_id":"task_1","progress":0.5,'
        '"status":"running","current_step":"It writes."}}',
    ),
    (
        TaskCompleted("task_1", "writer", "Written.", True, 1.5),
        '{"event":"agent_task_complete","data":{"task_id":"task_1","agent_type":"writer",'
        '"result":"Written.","success":true,"execution_time":1.5}}',
    ),
    (
        ApprovalAsked("appr_1", "c1", "act", {"a": 1}, "h", "2026-11-28T00:00:00+00:00"),
        '{"event":"approval_required","data":{"approval_id":"appr_1","call_id":"c1",'
        '"tool_name":"act","arguments":{"a":1},"arguments_hash":"h",'
        '"expires_at":"2026-11-28T00:00:00+00:00"}}',
    ),
    (
        SourceFound(Citation("A page", url="http://localhost/", index=2)),
        '{"event":"source","data":'
        '{"title":"A page","url":"http://localhost/","snippet":null,"index":2}}',
    ),
    (
        UsageRecorded(Usage(3, 4, reasoning_tokens=2), 1.5, calls=2),
        '{"event":"metrics","data":{"tokens_used":7,"response_time":1.5,'
        '"time_to_first_token":null,"model_calls":2}}',
    ),
    (
        UsageRecorded(Usage(3, 4), 1.5, agent="writer", task_id="task_1_1"),
        '{"event":"metrics","data":{"tokens_used":7,"response_time":1.5,'
        '"time_to_first_token":null,"model_calls":1,"task_id":"task_1_1"}}',
    ),
    (
        RunCompleted(
            "Hello",
            FinishReason.LENGTH,
            Usage(3, 4, estimated=True, error_bound=0.35),
            2.0,
            "conv_1",
            "msg_1",
            "assistant",
            "m",
            "p",
            (Citation("A page"),),
        ),
        '{"event":"done","data":{"final_response":"Hello","conversation_id":"conv_1",'
        '"message_id":"msg_1","run_id":"' + PUBLIC + '","agent_type":"assistant",'
        '"token_usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,'
        '"estimated":true,"error_bound":0.35},"processing_time":2.0,'
        '"sources":[{"title":"A page","url":null,"snippet":null,"index":1}],'
        '"finish_reason":"length","metadata":{"agents_used":["assistant"],"agents":[],'
        '"limit_reached":null,"iterations":1,"execution_time_seconds":2.0,'
        '"trace_id":"' + RUN.hex + '","failovers":[],"receipts":[]}}}',
    ),
    (
        RunStopped(StopStatus.CANCELLED, "cancelled", "It was cancelled.", recoverable=True),
        '{"event":"error","data":{"error":"It was cancelled.","code":"cancelled",'
        '"recoverable":true,"details":{}}}',
    ),
    (
        RunStopped(
            StopStatus.FAILED,
            "upstream_rate_limited",
            "Later.",
            recoverable=True,
            details={"provider": "p"},
            retry_after=2.5,
        ),
        '{"event":"error","data":{"error":"Later.","code":"upstream_rate_limited",'
        '"recoverable":true,"details":{"provider":"p"},"retry_after":2.5}}',
    ),
]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (FinishReason.STOP, FinishReason.CONTENT_FILTER),
        (FinishReason.LENGTH, FinishReason.LENGTH),
    ],
)
def test_the_finish_reason_tells_a_refusal(reason: FinishReason, told: FinishReason) -> None:
    completed = RunCompleted(
        "No.", reason, Usage(), 1.0, "conv_1", "msg_1", "a", "m", "p", refused=True
    )
    made = frame(LoggedEvent(RUN, 7, completed)).decode()
    assert f'"finish_reason":"{told}"' in made


@pytest.mark.parametrize(("event", "body"), TABLE)
def test_an_event_becomes_one_frame(event: Event, body: str) -> None:
    made = frame(LoggedEvent(RUN, 7, event))
    assert made.decode() == f"id: {PUBLIC}.7\ndata: {body}\n\n"
    (read,) = sse.Parser().feed(made)
    assert read.id == event_id(RUN, 7)
    assert read.data == body


def test_the_table_holds_every_event() -> None:
    assert {type(event) for event, _ in TABLE} == set(get_args(Event)) - HIDDEN
    assert all(is_public(event) for event, _ in TABLE)


@pytest.mark.parametrize(
    "event",
    [
        UnknownEvent({"type": "of_2027"}),
        ModelAccepted("p", "m"),
        ReasoningSealed(signature="s"),
        VendorPartAdded(VendorPart("anthropic_messages", {"type": "server_tool_use"})),
    ],
    ids=type,
)
def test_a_hidden_event_moves_the_cursor_and_says_nothing(event: Event) -> None:
    assert type(event) in HIDDEN
    made = frame(LoggedEvent(RUN, 7, event))
    assert made.decode() == f"id: {PUBLIC}.7\n: not for readers\n\n"
    parser = sse.Parser()
    assert parser.feed(made) == []
    assert parser.last_event_id == f"{PUBLIC}.7"


def test_every_frame_fits_the_documented_union() -> None:
    for _, body in TABLE:
        assert msgspec.json.decode(body, type=ChatEvent)


def test_what_is_told_but_not_logged() -> None:
    assert frame(None) == b": \n\n"
    queued = b'data: {"event":"queued","data":{"position":2,"eta_seconds":null,"provider":null}}'
    assert frame(Queued(RUN, 2)) == queued + b"\n\n"


def test_a_snapshot_moves_the_cursor_to_the_end_of_the_log() -> None:
    message = Message(Role.ASSISTANT, (Reasoning("hm", "signed", "vendor"), Text("Hello")))
    (read,) = sse.Parser().feed(frame(Snapshot(RUN, 9, (message,), recovered=False)))
    assert read.id == f"{PUBLIC}.9"
    assert msgspec.json.decode(read.data) == {
        "event": "snapshot",
        "data": {
            "messages": [
                {
                    "role": "assistant",
                    "content": "Hello",
                    # the vendor's signature is not for clients
                    "parts": [
                        {"type": "reasoning", "text": "hm"},
                        {"type": "text", "text": "Hello"},
                    ],
                }
            ],
            "recovered": False,
        },
    }


def test_only_a_terminal_event_ends_a_stream() -> None:
    terminal = {RunCompleted, RunStopped}
    for event, _ in TABLE:
        assert is_terminal(LoggedEvent(RUN, 1, event)) == (type(event) in terminal)
    assert not is_terminal(None)
    assert not is_terminal(Queued(RUN, 1))
    assert not is_terminal(Snapshot(RUN, 1, (), recovered=True))
