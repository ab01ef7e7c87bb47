"""Conversations of model requests on a real database: continued, branched, with tools, sealed."""

import asyncio
from typing import Any

import pytest
from tests.backend.application.stored_runs_fixture import ANN, StoredRuns, stored_runs
from tests.harness.database import TemporaryDatabase

from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.runs.model_runs import ModelCommand
from cartrita.dialects.anthropic_messages import request_rendering as anthropic
from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.openai_chat import request_rendering as openai
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.domain.deltas import (
    Accepted,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import NotFound, UpstreamRejected
from cartrita.domain.messages import Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.principals import Principal
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import RUN_INPUT_VERSION
from cartrita.domain.tools import ToolSpec
from cartrita.domain.usage import Usage
from cartrita.kit.ids import public, uuid7

USAGE = Usage(3, 4)
DONE = Finished(FinishReason.STOP, USAGE)


def said(text: str) -> list[Delta]:
    return [TextDelta(text), DONE]


def user(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def answer(text: str) -> Message:
    return Message(Role.ASSISTANT, (Text(text),))


def command(*messages: Message, tools: tuple[ToolSpec, ...] = (), **values: Any) -> ModelCommand:
    request = ModelRequest(owner_id="ann", model="p/m", messages=messages, tools=tools)
    given: dict[str, Any] = {"surface": "openai_chat", "request": request, **values}
    return ModelCommand(**given)


def texts(told: Any) -> list[str]:
    return [getattr(one, "message", one).text for one in told]


def reached(runs: StoredRuns) -> list[str]:
    """The texts of the messages in the last request to the model."""
    return texts(runs.provider.requests[-1].messages)


async def test_both_habits_continue_one_conversation(database: TemporaryDatabase) -> None:
    scripts = [said("1."), said("2."), said("3.")]
    where: dict[str, Any] = {"conversation_id": "user_123_conv_1"}
    async with stored_runs(database.dsn, *scripts) as runs:
        first = await runs.ask(command(user("One?"), **where))
        whole = (user("One?"), answer("1."), user("Two?"))
        second = await runs.ask(command(*whole, **where))
        third = await runs.ask(command(user("Three?"), surface="anthropic_messages", **where))
        assert first.conversation_id == second.conversation_id == third.conversation_id
        said_so_far = ["One?", "1.", "Two?", "2.", "Three?"]
        assert reached(runs) == said_so_far
        assert texts(await runs.branch(first)) == [*said_so_far, "3."]
        found = await runs.conversations.get(ANN, "user_123_conv_1")
        assert (found.title, found.id) == ("One?", first.conversation_id)
        assert runs.provider.requests[0].instructions == ()


async def test_a_native_conversation_goes_on_elsewhere_and_back(
    database: TemporaryDatabase,
) -> None:
    async with stored_runs(database.dsn, said("1."), said("2."), said("3.")) as runs:
        first = await runs.runs.start(ANN, ChatCommand(message=user("One?")))
        await runs.ended(first)
        name = public("conv", first.conversation_id)
        await runs.ask(command(user("Two?"), conversation_id=name))
        native = ChatCommand(message=user("Three?"), conversation_id=name)
        await runs.ended(await runs.runs.start(ANN, native))
        assert reached(runs) == ["One?", "1.", "Two?", "2.", "Three?"]


async def test_a_history_that_diverges_is_a_branch(database: TemporaryDatabase) -> None:
    scripts = [said("1."), said("2."), said("Other."), said("Again.")]
    where: dict[str, Any] = {"conversation_id": "c"}
    async with stored_runs(database.dsn, *scripts) as runs:
        await runs.ask(command(user("One?"), **where))
        await runs.ask(command(user("Two?"), **where))
        sent = (user("One?"), answer("1."), user("Other?"))
        admitted = await runs.ask(command(*sent, **where))
        branch = await runs.branch(admitted)
        assert texts(branch) == ["One?", "1.", "Other?", "Other."]
        again = await runs.ask(command(*sent, **where))
        [*_, question, retried] = await runs.branch(again)
        assert (question.id, retried.message.text) == (branch[2].id, "Again.")
        assert retried.parent_id == branch[3].parent_id


async def test_a_callers_tools_are_called_and_answered(database: TemporaryDatabase) -> None:
    calls: list[Delta] = [
        TextDelta("I look."),
        ToolCallDelta(0, "c1", "look", "{}"),
        ToolCallDelta(1, "c2", "smell", "{}"),
        Finished(FinishReason.TOOL_CALL, USAGE),
    ]
    results = tuple(
        Message(Role.TOOL, (ToolResult(name, (Text(f"found {name}"),)),)) for name in ("c1", "c2")
    )
    tools = tuple(ToolSpec(name, "", {"type": "object"}) for name in ("look", "smell"))
    asked = ToolCall("c1", "look", {}), ToolCall("c2", "smell", {})
    called = Message(Role.ASSISTANT, (Text("I look."), *asked))
    async with stored_runs(database.dsn, calls, said("Found."), said("Bye.")) as runs:
        first = await runs.ask(command(user("What?"), tools=tools))
        deltas = await runs.deltas(first)
        assert deltas == [
            Accepted("p", "m"),
            *calls[:3],
            Finished(FinishReason.TOOL_CALL, USAGE, "m"),
        ]
        name = public("conv", first.conversation_id)
        sent = (user("What?"), Message(Role.ASSISTANT, asked), *results)
        await runs.ask(command(*sent, tools=tools, conversation_id=name))
        both = Message(Role.TOOL, (*results[0].parts, *results[1].parts))
        assert runs.provider.requests[-1].messages == (user("What?"), called, both)
        await runs.ask(command(user("Bye"), tools=tools, conversation_id=name))
        assert runs.provider.requests[-1].messages[:3] == (user("What?"), called, both)
        roles = [stored.message.role.value for stored in await runs.branch(first)]
        assert roles == ["user", "assistant", "tool", "tool", "assistant", "user", "assistant"]
        result = (await runs.branch(first))[3]
        retried = await runs.runs.retry(ANN, name, public("msg", result.id))
        await runs.ended(retried)
        assert runs.provider.requests[-1].messages == (user("What?"), called, both)
        again = (await runs.runs.get(ANN, public("run", retried.run_id))).input
        assert again is not None
        assert again.brought == 0


async def test_a_response_is_followed_even_if_the_conversation_has_gone_on(
    database: TemporaryDatabase,
) -> None:
    scripts = [said("1."), said("2."), said("Other.")]
    async with stored_runs(database.dsn, *scripts) as runs:
        first = await runs.ask(command(user("One?"), surface="openai_responses"))
        name = public("run", first.run_id)
        await runs.ask(command(user("Two?"), previous=name))
        other = await runs.ask(command(user("Other?"), previous=name))
        assert texts(await runs.branch(other)) == ["One?", "1.", "Other?", "Other."]
        inputs = await runs.model_runs.input_messages(ANN, public("run", other.run_id), 10)
        assert texts(inputs) == ["Other?", "1.", "One?"]
        run = await runs.runs.get(ANN, name)
        assert run.input is not None
        assert (run.surface, run.agent) == ("openai_responses", "model")
        assert run.input.version == RUN_INPUT_VERSION


async def test_sealed_reasoning_is_sent_back_to_its_origin_only(
    database: TemporaryDatabase,
) -> None:
    signature = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds+/="
    thought: list[Delta] = [
        ReasoningDelta("Hm. "),
        ReasoningDelta("Yes."),
        ReasoningDelta("", signature, None, "anthropic_messages"),
        TextDelta("1."),
        DONE,
    ]
    async with stored_runs(database.dsn, thought, said("2.")) as runs:
        await runs.ask(command(user("One?"), conversation_id="c"))
        sent = (user("One?"), answer("1."), user("Two?"))  # as a client of OpenAI has it
        await runs.ask(command(*sent, conversation_id="c"))
        request = runs.provider.requests[-1]
    same = anthropic.render(request, ModelOptions()).body
    block = f'{{"type":"thinking","thinking":"Hm. Yes.","signature":"{signature}"}}'
    assert block.encode() in same
    elsewhere = openai.render(request, ServerOptions()).body
    assert signature.encode() not in elsewhere


async def test_a_run_is_deleted_with_what_only_it_needs(database: TemporaryDatabase) -> None:
    scripts = [said(f"{number}.") for number in range(1, 6)]
    async with stored_runs(database.dsn, *scripts) as runs:
        first = await runs.ask(command(user("One?"), answer("Well."), user("So?")))
        name = public("run", first.run_id)
        second = await runs.ask(command(user("Two?"), previous=name))
        again = await runs.ask(command(user("Or?"), previous=name))
        for gone, left in (
            (first, ["One?", "Well.", "So?", "1.", "Or?", "3."]),
            (again, ["One?", "Well.", "So?", "1."]),
            (second, ["One?", "Well.", "So?", "1."]),
        ):
            name = public("run", gone.run_id)
            with pytest.raises(NotFound):
                await runs.model_runs.delete(Principal("bob", "key"), name)
            await runs.model_runs.delete(ANN, name)
            assert texts(await runs.branch(first)) == left
            for verb in (runs.runs.get, runs.model_runs.delete):
                with pytest.raises(NotFound):
                    await verb(ANN, name)


async def test_the_last_run_takes_the_conversation_that_it_made_along(
    database: TemporaryDatabase,
) -> None:
    async with stored_runs(database.dsn, said("1."), said("2."), said("3.")) as runs:
        made = await runs.ask(command(user("One?"), answer("Well."), user("So?")))
        await runs.model_runs.delete(ANN, public("run", made.run_id))
        with pytest.raises(NotFound):
            await runs.branch(made)
        named = await runs.ask(command(user("One?"), conversation_id="theirs"))
        await runs.model_runs.delete(ANN, public("run", named.run_id))
        assert await runs.branch(named) == []


async def test_what_was_there_before_a_run_stays(database: TemporaryDatabase) -> None:
    async with stored_runs(database.dsn, said("1."), said("2.")) as runs:
        talk = await runs.conversations.create(ANN)
        name = public("conv", talk.id)
        await runs.messages.append(ANN, name, [user("Before.")])
        run = await runs.ask(command(user("One?"), conversation_id=name))
        retried = await runs.ask(command(user("Before."), user("One?"), conversation_id=name))
        await runs.model_runs.delete(ANN, public("run", run.run_id))
        assert texts(await runs.branch(run)) == ["Before.", "One?", "2."]
        await runs.model_runs.delete(ANN, public("run", retried.run_id))
        assert texts(await runs.branch(run)) == ["Before.", "One?"]


async def test_a_run_that_is_being_answered_is_cancelled_and_deleted(
    database: TemporaryDatabase,
) -> None:
    never = asyncio.Event()
    async with stored_runs(database.dsn, [TextDelta("1"), never], said("2.")) as runs:
        running = await runs.model_runs.start(ANN, command(user("One?")))
        name = public("run", running.run_id)
        async with runs.runs.tail(running.run_id, 1) as events:
            await anext(aiter(events))
        await runs.model_runs.delete(ANN, name)
        with pytest.raises(NotFound):
            await runs.runs.get(ANN, name)


async def test_a_failed_run_is_deleted_with_its_question(database: TemporaryDatabase) -> None:
    failure = UpstreamRejected("No.", provider="p")
    async with stored_runs(database.dsn, [failure]) as runs:
        failed = await runs.ask(command(user("One?"), conversation_id="c"))
        await runs.model_runs.delete(ANN, public("run", failed.run_id))
        assert await runs.branch(failed) == []


async def test_what_followed_is_told_without_being_stored(database: TemporaryDatabase) -> None:
    async with stored_runs(database.dsn, said("1."), said("2.")) as runs:
        first = await runs.ask(command(user("One?")))
        second = await runs.ask(command(user("Two?"), previous=public("run", first.run_id)))
        run = await runs.runs.get(ANN, public("run", second.run_id))
        told = await runs.model_runs.continued(ANN, run, (user("Three?"),))
        assert texts(told) == ["One?", "1.", "Two?", "2.", "Three?"]
        assert texts(await runs.branch(first)) == ["One?", "1.", "Two?", "2."]


async def test_messages_are_found_by_their_ids_or_by_their_runs(
    database: TemporaryDatabase,
) -> None:
    async with stored_runs(database.dsn, said("1.")) as runs:
        made = await runs.ask(command(user("One?")))
        question, answered = await runs.branch(made)
        find = runs.messages.find_owners
        names = question.id.hex, public("msg", answered.id), made.run_id.hex
        assert await find(ANN, (*names, uuid7().hex, "nothing")) == {
            names[0]: question,
            names[1]: answered,
            names[2]: answered,
        }
        assert await find(ANN, ()) == {}
        assert await find(Principal("bob", "key"), names) == {}
        await runs.conversations.delete(ANN, public("conv", made.conversation_id))
        assert await find(ANN, names) == {}
