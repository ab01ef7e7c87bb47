"""Answering once more, in other words, or on from where it stopped."""

import msgspec
import pytest
from tests.backend.application.fakes import (
    FakeRunPorts,
    run,
    stored_message,
)
from tests.backend.application.runs_fixture import ANN, BOB, CONV, KEY, TALK, RunsFixture, in_talk

from cartrita.domain.errors import Conflict, NotFound, Unavailable
from cartrita.domain.ids import MessageId
from cartrita.domain.messages import Citation, Message, Reasoning, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ResponseFormat
from cartrita.domain.runs import (
    Admission,
    BusyPolicy,
    NewMessage,
    RunInput,
    RunStatus,
)
from cartrita.kit.ids import public, uuid7


async def test_a_retry_answers_the_question_as_it_was_answered() -> None:
    question = in_talk("why?")
    answer = in_talk("because", Role.ASSISTANT, parent_id=question.id, depth=1)
    first = run(
        user_message_id=question.id,
        input=RunInput(
            agent="supervisor",
            provider="p",
            model="special",
            prefix="half",
            instructions="Be brief.",
            answerable=False,
        ),
    )
    for message in (question, answer):
        fixture = RunsFixture(question, answer, ports=FakeRunPorts(first))
        await fixture.runs.retry(ANN, "theirs", public("msg", message.id), KEY)
        assert fixture.admission == Admission(
            owner_id="ann",
            surface="native",
            input=RunInput(
                agent="supervisor", provider="p", model="special", instructions="Be brief."
            ).asked_with("key"),
            title="",
            conversation_id=TALK.id,
            answer_to=question.id,
            idempotency=KEY,
        )


async def test_a_retry_of_what_no_run_answered_takes_the_defaults() -> None:
    question = in_talk("why?")
    fixture = RunsFixture(question)
    await fixture.runs.retry(ANN, CONV, public("msg", question.id))
    assert fixture.admission.input == RunInput(
        agent="supervisor", provider="p", model="m"
    ).asked_with("key")


async def test_an_answer_to_nothing_cannot_be_tried_again() -> None:
    lonely = in_talk("hello", Role.ASSISTANT)
    with pytest.raises(Conflict):
        await RunsFixture(lonely).runs.retry(ANN, CONV, public("msg", lonely.id))


@pytest.mark.parametrize("verb", ["retry", "edit"])
async def test_a_message_that_is_not_there(verb: str) -> None:
    elsewhere = stored_message("in another conversation")
    fixture = RunsFixture(elsewhere, in_talk("x"))
    more = ("text",) if verb == "edit" else ()
    for name in (public("msg", elsewhere.id), public("msg", uuid7()), "msg_", "nonsense"):
        with pytest.raises(NotFound) as refusal:
            await getattr(fixture.runs, verb)(ANN, CONV, name, *more)
        assert refusal.value.code == "message_not_found"
    for principal, conversation in ((BOB, CONV), (ANN, "no such")):
        with pytest.raises(NotFound) as refusal:
            await getattr(fixture.runs, verb)(principal, conversation, "msg_", *more)
        assert refusal.value.code == "conversation_not_found"
    assert fixture.ports.admitted == []


# Other words


async def test_an_edit_begins_a_branch_beside_the_old_message() -> None:
    parent = MessageId(uuid7())
    old = in_talk("old words", parent_id=parent, depth=2)
    fixture = RunsFixture(old)
    await fixture.runs.edit(ANN, CONV, public("msg", old.id), "new words", KEY)
    assert fixture.admission.conversation_id == TALK.id
    assert fixture.admission.idempotency == KEY
    assert fixture.admission.new_message == NewMessage(
        message=Message(Role.USER, (Text("new words"),)), parent_id=parent, edited=True
    )


async def test_an_edit_of_the_first_message_begins_at_the_root() -> None:
    first = in_talk("old words")
    fixture = RunsFixture(first)
    await fixture.runs.edit(ANN, CONV, public("msg", first.id), "new words")
    assert fixture.admission.new_message is not None
    assert fixture.admission.new_message.at_root
    assert fixture.admission.new_message.parent_id is None


async def test_only_a_question_can_be_asked_in_other_words() -> None:
    answer = in_talk("because", Role.ASSISTANT)
    with pytest.raises(Conflict):
        await RunsFixture(answer).runs.edit(ANN, CONV, public("msg", answer.id), "x")


# Going on


@pytest.mark.parametrize("status", [s for s in RunStatus if s.ended and s != "completed"])
async def test_an_answer_that_ended_early_goes_on(status: RunStatus) -> None:
    ended = run(status=status, surface="other")
    half = stored_message("half an ans", Role.ASSISTANT, id=ended.message_id)
    fixture = RunsFixture(half, ports=FakeRunPorts(ended))
    await fixture.runs.continue_run(ANN, public("run", ended.id), KEY)
    assert fixture.admission == Admission(
        owner_id="ann",
        surface="other",
        input=RunInput(
            agent="supervisor",
            provider="p",
            model="m",
            instructions="Be brief.",
            prefix="half an ans",
        ).asked_with("key"),
        title="",
        conversation_id=ended.conversation_id,
        answer_to=ended.user_message_id,
        busy=BusyPolicy.REJECT,
        idempotency=KEY,
    )


async def test_one_that_said_nothing_begins_anew() -> None:
    ended = run(status=RunStatus.FAILED)
    fixture = RunsFixture(ports=FakeRunPorts(ended))
    await fixture.runs.continue_run(ANN, public("run", ended.id))
    assert fixture.admission.input.prefix == ""


@pytest.mark.parametrize(
    "status", [RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.WAITING]
)
async def test_nothing_else_can_be_continued(status: RunStatus) -> None:
    there = run(status=status)
    fixture = RunsFixture(ports=FakeRunPorts(there))
    with pytest.raises(Conflict) as refusal:
        await fixture.runs.continue_run(ANN, public("run", there.id))
    assert refusal.value.code == "not_continuable"
    assert status in refusal.value.message


async def test_an_answer_of_more_than_text_is_not_continued() -> None:
    ended = run()
    parts = (Reasoning("hm", "signed"), Text("half"))
    half = stored_message("", id=ended.message_id, message=Message(Role.ASSISTANT, parts))
    with pytest.raises(Conflict) as refusal:
        await RunsFixture(half, ports=FakeRunPorts(ended)).runs.continue_run(
            ANN, public("run", ended.id)
        )
    assert refusal.value.code == "not_continuable"


async def test_an_answer_goes_on_after_its_steps() -> None:
    ended = run()
    steps = (ToolCall("c1", "look", {}), ToolResult("c1", (Text("42"),), "look"))
    parts = (*steps, Citation("a"), Text("It is"))
    half = stored_message("", id=ended.message_id, message=Message(Role.ASSISTANT, parts))
    fixture = RunsFixture(half, ports=FakeRunPorts(ended))
    await fixture.runs.continue_run(ANN, public("run", ended.id))
    given = fixture.admission.input
    assert (given.done, given.prefix) == (parts, "It is")


async def test_half_a_json_document_is_not_continued() -> None:
    ended = run()
    assert ended.input is not None
    work = msgspec.structs.replace(ended.input, response_format=ResponseFormat("json"))
    ended = msgspec.structs.replace(ended, input=work)
    half = stored_message(
        '{"a', id=ended.message_id, message=Message(Role.ASSISTANT, (Text('{"a'),))
    )
    with pytest.raises(Conflict) as refusal:
        await RunsFixture(half, ports=FakeRunPorts(ended)).runs.continue_run(
            ANN, public("run", ended.id)
        )
    assert refusal.value.code == "not_continuable"


async def test_a_run_of_a_newer_version_is_not_continued() -> None:
    ended = msgspec.structs.replace(run(), input=None)
    with pytest.raises(Unavailable) as refusal:
        await RunsFixture(ports=FakeRunPorts(ended)).runs.continue_run(ANN, public("run", ended.id))
    assert refusal.value.code == "newer_version"
