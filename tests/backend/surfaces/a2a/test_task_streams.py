"""Each item of a run's tail becomes one result of A2A, or a comment where it shows nothing."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.backend.surfaces.stopped_runs import RUN

from cartrita.application.runs.approvals import Waiting
from cartrita.domain.approvals import Approval
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import (
    ApprovalAsked,
    Event,
    LoggedEvent,
    ModelAccepted,
    RunCompleted,
    RunStarted,
    RunStopped,
    StopStatus,
    TaskStarted,
    TextAppended,
)
from cartrita.domain.messages import Citation, Message, Role, Text
from cartrita.domain.runs import Queued, RunStatus, Snapshot
from cartrita.domain.step_places import StepPlace
from cartrita.domain.usage import Usage
from cartrita.kit import clock, ids
from cartrita.surfaces.a2a.task_streams import TaskRendering
from cartrita.surfaces.run_ends import StreamItem

TASK = ids.public("run", RUN.id)
RENDERING = TaskRendering(RUN, "call")
HEARTBEAT = b": \n\n"


def logged(event: Event) -> LoggedEvent:
    return LoggedEvent(RUN.id, 7, event)


def result_of(item: StreamItem) -> Any:
    """The result in the frame of an item."""
    head, _, data = RENDERING.frame(item).partition(b"data: ")
    assert head == b""
    told = json.loads(data)
    assert (told["jsonrpc"], told["id"]) == ("2.0", "call")
    return told["result"]


def test_it_begins_with_the_task() -> None:
    task = result_of(msgspec.structs.replace(RUN, status=RunStatus.QUEUED))["task"]
    assert (task["id"], task["status"]["state"]) == (TASK, "TASK_STATE_SUBMITTED")
    assert task["status"]["timestamp"].endswith("Z")


@pytest.mark.parametrize("position", [0, 3])
def test_text_is_a_piece_of_the_answer(position: int) -> None:
    update = result_of(logged(TextAppended("Hel", position)))["artifactUpdate"]
    assert update.get("append", False) == bool(position)
    assert update["taskId"] == TASK
    part = {"text": "Hel", "mediaType": "text/plain"}
    assert update["artifact"] == {"artifactId": "answer", "name": "answer", "parts": [part]}


def test_a_snapshot_is_all_of_the_answer() -> None:
    messages = (Message(Role.ASSISTANT, (Text("All."),)),)
    update = result_of(Snapshot(RUN.id, 3, messages, True))["artifactUpdate"]
    assert "append" not in update
    assert update["artifact"]["parts"][0]["text"] == "All."


def test_what_the_team_does_is_told() -> None:
    event = TaskStarted(task_id="t", call_id="c", agent="writer", description="A poem.")
    status = result_of(logged(event))["statusUpdate"]["status"]
    assert status["state"] == "TASK_STATE_WORKING"
    assert status["message"]["parts"] == [{"text": "writer: A poem."}]
    assert status["message"]["role"] == "ROLE_AGENT"


def test_the_end_tells_the_sources() -> None:
    event = RunCompleted(
        text="All.",
        finish_reason=FinishReason.STOP,
        usage=Usage(3, 4),
        seconds=1.0,
        conversation_id="conv",
        message_id="msg",
        agent="supervisor",
        model="m",
        provider="p",
        sources=(Citation("Moss", "https://example.com/moss"),),
    )
    update = result_of(logged(event))["statusUpdate"]
    assert update["status"]["state"] == "TASK_STATE_COMPLETED"
    source = {"index": 1, "title": "Moss", "url": "https://example.com/moss"}
    told = {"agentsUsed": ["supervisor"], "sources": [source], "totalTokens": 7}
    assert update["metadata"] == told


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (StopStatus.CANCELLED, "TASK_STATE_CANCELED"),
        (StopStatus.FAILED, "TASK_STATE_FAILED"),
        (StopStatus.INTERRUPTED, "TASK_STATE_FAILED"),
    ],
)
def test_an_early_end_says_why(kind: StopStatus, state: str) -> None:
    event = RunStopped(kind=kind, code="x", message="So it is.", recoverable=False)
    status = result_of(logged(event))["statusUpdate"]["status"]
    assert (status["state"], status["message"]["parts"][0]["text"]) == (state, "So it is.")


def test_a_run_that_waits_says_for_what() -> None:
    approval = Approval(
        id=UUID(int=5),
        run_id=RUN.id,
        owner_id="o",
        place=StepPlace((1, 1)),
        call_id="c",
        agent="analyst",
        tool="calculator",
        arguments={"expression": "1"},
        arguments_hash="h",
        expires_at=clock.now(),
    )
    status = result_of(Waiting((approval,)))["statusUpdate"]["status"]
    assert status["state"] == "TASK_STATE_INPUT_REQUIRED"
    (asked,) = status["message"]["parts"][1]["data"]["approvals"]
    assert asked["decideAt"] == f"/api/runs/{TASK}/approvals/{asked['approvalId']}"


@pytest.mark.parametrize(
    "item",
    [
        None,
        Queued(RUN.id, 2),
        Snapshot(RUN.id, 3, (), True),
        logged(ModelAccepted("p", "m")),
        logged(ApprovalAsked("a", "c", "n", {}, "h", "2026-11-28T12:00:00Z")),
    ],
)
def test_what_shows_nothing_is_a_comment(item: StreamItem) -> None:
    assert RENDERING.frame(item) == HEARTBEAT


def test_the_beginning_of_the_work_is_told() -> None:
    event = RunStarted("conv", "msg", "writer", "m", "p")
    assert result_of(logged(event))["statusUpdate"]["status"]["state"] == "TASK_STATE_WORKING"
