"""Model requests as runs: what is stored of them, where, and what their run needs."""

from typing import Any

import msgspec
import pytest
from tests.backend.application.fakes import FakeRunPorts, run
from tests.backend.application.runs_fixture import ANN, BOB, CONV, KEY, TALK, RunsFixture, in_talk

from cartrita.application.conversations.titles import UNTITLED
from cartrita.application.runs.model_runs import MESSAGES_MAX, ModelCommand
from cartrita.domain.errors import Conflict, InvalidInput, NotFound
from cartrita.domain.ids import MessageId
from cartrita.domain.messages import Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.domain.runs import (
    RUN_INPUT_VERSION,
    Admission,
    Admitted,
    BusyPolicy,
    NewMessage,
    RunInput,
    RunStatus,
)
from cartrita.domain.tools import NamedTool, ToolSpec
from cartrita.kit.ids import public, uuid7


def user(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def answer(text: str) -> Message:
    return Message(Role.ASSISTANT, (Text(text),))


def command(*messages: Message, **values: Any) -> ModelCommand:
    """A request of the chat surface with these messages; `request` are more fields of it."""
    fields: dict[str, Any] = {"owner_id": "ann", "model": "p/m", **values.pop("request", {})}
    request = ModelRequest(messages=messages, **fields)
    return ModelCommand(surface="openai_chat", request=request, **values)


async def test_a_request_makes_a_conversation_of_its_messages() -> None:
    fixture = RunsFixture()
    sent = (user("Hi\nyou"), answer("Hello"), user("What?"))
    await fixture.model_runs.start(ANN, command(*sent), KEY)
    assert fixture.admission == Admission(
        owner_id="ann",
        surface="openai_chat",
        input=RunInput(
            version=2, agent="model", provider="p", model="m", brought=3, answerable=False
        ).asked_with("key"),
        title="Hi",
        untitled=UNTITLED,
        new_message=NewMessage(message=sent[2], before=sent[:2]),
        idempotency=KEY,
    )


async def test_everything_that_the_model_is_asked_for_is_kept() -> None:
    fixture = RunsFixture()
    fields: dict[str, Any] = {
        "instructions": (Text("Be brief."),),
        "tools": (ToolSpec("look", "Looks.", {"type": "object"}),),
        "tool_choice": NamedTool("look"),
        "parallel_tool_calls": False,
        "sampling": Sampling(top_k=3, logit_bias={"5": 1.0}),
        "response_format": ResponseFormat("json"),
        "reasoning": ReasoningOptions(effort="low"),
        "user": "u",
        "origin": "openai_chat",
        "vendor": VendorFields("openai_chat", {"verbosity": "low"}),
        "strict": True,
    }
    system = Message(Role.SYSTEM, (Text("Now be kind."),))
    told: dict[str, Any] = {"metadata": {"a": "b"}, "echo": {"store": True}, "answerable": True}
    asked = command(user("Hi"), system, request=fields, **told)
    await fixture.model_runs.start(ANN, asked)
    stored = msgspec.json.decode(msgspec.json.encode(fixture.admission.input), type=RunInput)
    kept: dict[str, Any] = fields | {"instructions": (Text("Be brief."), Text("Now be kind."))}
    assert stored == RunInput(
        version=2,
        agent="model",
        provider="p",
        model="m",
        brought=1,
        **told,
        **kept,
    ).asked_with("key")


async def test_an_agent_answers_by_its_own_model() -> None:
    fixture = RunsFixture()
    asked = command(user("Hi"), agent="supervisor", request={"model": "cartrita"})
    await fixture.model_runs.start(ANN, asked)
    found = fixture.admission.input
    assert (found.agent, found.provider, found.model) == ("supervisor", "p", "m")


async def test_the_history_of_an_agent_is_limited() -> None:
    fixture = RunsFixture(agent_context_tokens=8000)
    asked = command(user("Hi"), agent="supervisor", request={"model": "cartrita"})
    await fixture.model_runs.start(ANN, asked)
    found = fixture.admission.input
    assert (found.version, found.context_tokens) == (RUN_INPUT_VERSION, 8000)


async def test_that_of_a_model_is_not() -> None:
    fixture = RunsFixture(agent_context_tokens=8000)
    await fixture.model_runs.start(ANN, command(user("Hi")))
    assert fixture.admission.input.context_tokens is None


async def test_an_unknown_conversation_is_made_with_the_callers_id() -> None:
    fixture = RunsFixture()
    await fixture.model_runs.start(ANN, command(user("Hi"), conversation_id="user_123_conv_1"))
    assert fixture.admission.external_id == "user_123_conv_1"
    assert fixture.admission.conversation_id is None


@pytest.mark.parametrize(
    ("conversation_id", "kind"),
    [("conv_" + "0" * 32, NotFound), (" ", InvalidInput), ("a\x00", InvalidInput)],
)
async def test_an_id_that_no_conversation_can_have_is_refused(
    conversation_id: str, kind: type[Exception]
) -> None:
    fixture = RunsFixture()
    with pytest.raises(kind):
        await fixture.model_runs.start(ANN, command(user("Hi"), conversation_id=conversation_id))
    assert fixture.ports.admitted == []


async def test_a_conversation_is_continued_with_what_is_new() -> None:
    first = in_talk("Hi", id=MessageId(uuid7()))
    second = in_talk("Hello", Role.ASSISTANT, depth=1, id=MessageId(uuid7()))
    talk = msgspec.structs.replace(TALK, head_message_id=second.id)
    whole = (user("Hi"), answer("Hello"), user("What?"))
    for sent, parent in ((whole, second.id), (whole[2:], None)):
        fixture = RunsFixture(second, first, conversation=talk, busy=BusyPolicy.REJECT)
        await fixture.model_runs.start(ANN, command(*sent, conversation_id=CONV))
        assert fixture.admission.conversation_id == talk.id
        assert fixture.admission.new_message == NewMessage(message=whole[2], parent_id=parent)
        assert fixture.admission.busy is BusyPolicy.REJECT
    again = RunsFixture(second, first, conversation=talk)
    await again.model_runs.start(ANN, command(whole[0], conversation_id="theirs"))
    assert again.admission.new_message is None
    assert again.admission.answer_to == first.id


async def test_an_empty_conversation_is_filled() -> None:
    fixture = RunsFixture()
    asked = command(user("Hi"), conversation_id=CONV, busy=BusyPolicy.INTERRUPT)
    await fixture.model_runs.start(ANN, asked)
    assert fixture.admission.new_message == NewMessage(message=user("Hi"))
    assert fixture.admission.busy is BusyPolicy.INTERRUPT


async def test_an_earlier_answer_is_followed() -> None:
    said = in_talk("Look", Role.ASSISTANT, message=Message(Role.ASSISTANT, (CALL,)))
    done = run(message_id=said.id, conversation_id=TALK.id, status=RunStatus.COMPLETED)
    fixture = RunsFixture(said, ports=FakeRunPorts(done))
    result = Message(Role.TOOL, (ToolResult("c1", (Text("a cat"),)),))
    await fixture.model_runs.start(ANN, command(result, previous=public("run", done.id)))
    assert fixture.admission.conversation_id == TALK.id
    assert fixture.admission.new_message == NewMessage(message=result, parent_id=said.id)


CALL = ToolCall("c1", "look", {})


async def test_an_earlier_run_without_an_answer_is_followed_by_what_it_was_asked() -> None:
    failed = run(status=RunStatus.FAILED)
    fixture = RunsFixture(ports=FakeRunPorts(failed))
    asked = command(user("Then?"), previous=public("run", failed.id))
    await fixture.model_runs.start(ANN, asked)
    assert fixture.admission.new_message is not None
    assert fixture.admission.new_message.parent_id == failed.user_message_id
    with pytest.raises(NotFound):
        await fixture.model_runs.start(BOB, asked)


async def test_an_answer_that_is_still_written_is_not_followed() -> None:
    busy = run(status=RunStatus.RUNNING)
    fixture = RunsFixture(ports=FakeRunPorts(busy))
    with pytest.raises(Conflict) as refused:
        await fixture.model_runs.start(ANN, command(user("x"), previous=public("run", busy.id)))
    assert refused.value.code == "previous_not_ended"


async def test_a_request_without_messages_is_refused() -> None:
    fixture = RunsFixture()
    with pytest.raises(InvalidInput):
        await fixture.model_runs.start(ANN, command(Message(Role.SYSTEM, (Text("Be brief."),))))


async def test_a_request_with_too_many_messages_is_refused() -> None:
    fixture = RunsFixture()
    many = [user("x"), answer("y")] * (MESSAGES_MAX // 2)
    await fixture.model_runs.start(ANN, command(*many))
    with pytest.raises(InvalidInput, match="at most 10000 messages"):
        await fixture.model_runs.start(ANN, command(*many, user("x")))


class RacedAdmission(FakeRunPorts):
    """Another request makes the conversation first, `times` times."""

    def __init__(self, times: int, code: str) -> None:
        super().__init__()
        self.times = times
        self.code = code

    async def admit(self, admission: Admission) -> Admitted:
        admitted = await super().admit(admission)
        if len(self.admitted) <= self.times:
            raise Conflict("Taken.", code=self.code)
        return admitted


async def test_a_conversation_that_another_request_has_just_made_is_looked_up_again() -> None:
    asked = command(user("Hi"), conversation_id="new")
    raced = RunsFixture(ports=RacedAdmission(1, "conversation_exists"))
    await raced.model_runs.start(ANN, asked)
    assert len(raced.ports.admitted) == 2
    for times, code in ((9, "conversation_exists"), (1, "conversation_busy")):
        with pytest.raises(Conflict):
            await RunsFixture(ports=RacedAdmission(times, code)).model_runs.start(ANN, asked)


async def test_the_messages_that_a_run_answers_can_be_read() -> None:
    question = in_talk("Hi")
    done = run(user_message_id=question.id)
    fixture = RunsFixture(question, ports=FakeRunPorts(done))
    name = public("run", done.id)
    assert await fixture.model_runs.input_messages(ANN, name, 20) == [question]
    with pytest.raises(NotFound):
        await fixture.model_runs.input_messages(BOB, name, 20)
