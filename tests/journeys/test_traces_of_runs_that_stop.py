"""A run that ends in another way than its answer, or elsewhere, still has one trace and a root."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import pytest
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import Serve
from tests.harness.langfuse_sink import LangfuseSink, langfuse_sink
from tests.harness.scenario import Scenario, eventually
from tests.journeys.test_approvals import decide, waiting
from tests.journeys.test_traces import ask, trace_of, trace_with
from tests.journeys.v1 import frames, post


@pytest.fixture(scope="module")
def sink() -> Iterator[LangfuseSink]:
    with langfuse_sink() as running:
        yield running


@pytest.fixture
def traced(shared: Serve, sink: LangfuseSink) -> Scenario:
    return shared(settings=sink.settings)


async def test_a_failed_run_is_an_error_that_says_why(traced: Scenario, sink: LangfuseSink) -> None:
    faults = (ReplacedResponse(status=400),)
    message = traced.message(Script(faults=faults))
    body = {"message": message, "provider": "openai", "model": "fake"}
    status, _, answered = await post(traced, "/api/chat/stream", body)
    assert status == 200
    told = [data for _, data in frames(answered)]
    run = told[0]["data"]["run_id"]
    assert told[-1]["event"] == "error"
    root = await trace_of(sink, run)
    assert root["level"] == "ERROR"
    assert root.failed
    assert root["status_message"] == f"failed: {told[-1]['data']['code']}"
    assert [one["level"] for one in root.children] == ["ERROR"]


async def test_a_cancelled_run_keeps_what_was_said(traced: Scenario, sink: LangfuseSink) -> None:
    plan = traced.plan(Script(words=400, between_tokens_s=0.05), cancel_after=4)
    (record,) = await traced.run_clients(plan)
    root = await trace_of(sink, record.run)
    assert (root["level"], root["status_message"]) == ("WARNING", "cancelled: cancelled")
    assert root["output"] == record.text()
    assert [one["level"] for one in root.children] == ["WARNING"]


async def test_a_person_who_decides_is_in_the_trace(traced: Scenario, sink: LangfuseSink) -> None:
    told = await waiting(traced)
    trace_id = told["run_id"].removeprefix("run_")

    async def asked() -> bool:
        return any(one.name == "approval_asked" for one in sink.of(trace_id))

    await eventually(asked)
    assert not [one for one in sink.of(trace_id) if not one.parent_id], "it has not ended"
    await decide(traced, told)
    root = await trace_of(sink, told["run_id"])
    assert root.story() == [
        "agent supervisor",
        "  generation fake",
        "  guardrail approval",
        "  event approval_asked",
        "  event resumed",
        "  tool calculator",
        "  generation fake",
    ]
    approval = next(one for one in root.children if one.kind == "guardrail")
    assert approval["output"] == "approved"


async def test_a_run_goes_on_in_its_trace_after_a_kill(serve: Serve) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings=sink.settings)
        calculator = ToolCall(name="calculator", arguments={"expression": "6*7"})
        scripts = (
            Script(tool_calls=(calculator,)),
            Script(text="It is 42.", before_headers_s=30.0),
            Script(text="It is 42."),
        )
        word = f"needle-{uuid4().hex}"

        async def begin() -> None:
            with suppress(OSError, EOFError):  # its server is killed
                await ask(scenario, f"{word} {directive(*scripts)}")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(begin())

            async def second_call() -> bool:
                asked = [one for one in await scenario.calls() if word in one.prompt]
                return len(asked) == 2 and any(one.name == "calculator" for one in sink.spans)

            await eventually(second_call)
            await asyncio.to_thread(scenario.server.kill, "worker")
        root = await trace_with(sink, word)
        names = [one.name for one in root.children]
    assert names.count("calculator") == 1, "it was done once, before the kill"
    assert "resumed" in names
    assert names.count("fake") == 2, "the call that was under way is lost with its server"
    assert root["output"] == "It is 42."


async def test_a_run_that_is_cancelled_while_it_waits_has_a_root(
    traced: Scenario, sink: LangfuseSink
) -> None:
    told = await waiting(traced)
    status, _ = await traced.call("POST", f"/api/runs/{told['run_id']}/cancel")
    assert status == 200
    root = await trace_of(sink, told["run_id"])
    assert (root["level"], root["status_message"]) == ("WARNING", "cancelled: cancelled")
    assert [one.name for one in root.children][:1] == ["fake"]
    assert root.attributes["session.id"] == told["conversation_id"]


async def test_what_its_server_left_is_ended_by_another(serve: Serve) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings=sink.settings)
        plan = scenario.plan(Script(words=200, between_tokens_s=0.05), wait_for_204=True)
        client = scenario.client(plan)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.run())
            await scenario.received(client.record, 5)
            await asyncio.to_thread(scenario.server.kill, "worker")
        root = await trace_of(sink, client.record.run)
    assert root["level"] == "WARNING"
    assert root["status_message"].startswith("interrupted: ")
    assert root["output"] == client.record.text() != ""
