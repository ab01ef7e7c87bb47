"""Asking for runs and watching them: what is asked of the log, and what is refused."""

from uuid import UUID

import pytest
from tests.backend.application.fakes import (
    FakeRunPorts,
    run,
)
from tests.backend.application.runs_fixture import ANN, BOB, CONV, KEY, TALK, RunsFixture, ask

from cartrita.application.conversations.titles import UNTITLED
from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.domain.errors import InvalidInput, NotFound, Unavailable
from cartrita.domain.events import LoggedEvent, RunStopped, StopStatus, TextAppended
from cartrita.domain.ids import RunId
from cartrita.domain.messages import Attachment, Message, Role, Text
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import (
    Admission,
    BusyPolicy,
    NewMessage,
    Queued,
    RunInput,
    Snapshot,
)
from cartrita.kit.ids import public, uuid7


async def test_a_question_in_a_new_conversation() -> None:
    fixture = RunsFixture()
    admitted = await fixture.runs.start(ANN, ask("What is\nthis?", metadata={"a": 1}), KEY)
    assert admitted.created
    assert fixture.admission == Admission(
        owner_id="ann",
        surface="native",
        input=RunInput(agent="supervisor", provider="p", model="m", metadata={"a": 1}).asked_with(
            "key"
        ),
        title="What is",
        untitled=UNTITLED,
        new_message=NewMessage(
            message=Message(Role.USER, (Text("What is\nthis?"),)), metadata={"a": 1}
        ),
        idempotency=KEY,
    )


async def test_everything_that_a_caller_says_is_passed_on() -> None:
    context = (Message(Role.USER, (Text("earlier"),)),)
    fixture = RunsFixture()
    command = ask(
        "Hi",
        surface="other",
        conversation_id=CONV,
        client_msg_id="c",
        provider="p",
        model="p/special",
        agent="supervisor",
        context=context,
        sampling=Sampling(temperature=0.1),
        instructions="Be brief.",
        metadata={"a": 1},
        busy=BusyPolicy.REJECT,
    )
    await fixture.runs.start(ANN, command)
    admission = fixture.admission
    assert admission.conversation_id == TALK.id
    assert (admission.surface, admission.client_msg_id) == ("other", "c")
    assert admission.busy is BusyPolicy.REJECT
    assert admission.input == RunInput(
        agent="supervisor",
        provider="p",
        model="special",
        instructions="Be brief.",
        sampling=Sampling(temperature=0.1),
        context=context,
        metadata={"a": 1},
    ).asked_with("key")
    assert admission.new_message is not None
    assert admission.new_message.metadata == {"a": 1}
    assert admission.new_message.parent_id is None


async def test_a_message_may_hold_more_than_text() -> None:
    fixture = RunsFixture()
    image = Attachment("image/png", url="data:image/png;base64,AA==")
    message = Message(Role.USER, (image, Text("What is this?")))
    await fixture.runs.start(ANN, ChatCommand(message=message))
    assert fixture.admission.title == "What is this?"
    assert fixture.admission.new_message == NewMessage(message=message)


@pytest.mark.parametrize("busy", [BusyPolicy.ENQUEUE, BusyPolicy.INTERRUPT])
async def test_the_server_says_what_to_do_when_busy_unless_the_caller_does(
    busy: BusyPolicy,
) -> None:
    fixture = RunsFixture(busy=busy)
    await fixture.runs.start(ANN, ask("Hi"))
    assert fixture.admission.busy is busy
    asked = RunsFixture(busy=busy)
    await asked.runs.start(ANN, ask("Hi", busy=BusyPolicy.REJECT))
    assert asked.admission.busy is BusyPolicy.REJECT


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (ask("Hi", conversation_id="conv_" + "0" * 32), NotFound),
        (ask("Hi", agent="nobody"), NotFound),
        (ask("Hi", provider="nobody"), NotFound),
        (ask("Hi", model="no/such"), NotFound),
        (ask("Hi", attachments=("file_1",)), NotFound),
        (ask("Hi", tools=("saw",)), InvalidInput),
    ],
)
async def test_what_nobody_has_is_told_and_nothing_is_stored(
    command: ChatCommand, kind: type[Exception]
) -> None:
    fixture = RunsFixture()
    with pytest.raises(kind):
        await fixture.runs.start(ANN, command)
    assert fixture.ports.admitted == []


async def test_a_conversation_of_another_is_not_there() -> None:
    with pytest.raises(NotFound):
        await RunsFixture().runs.start(BOB, ask("Hi", conversation_id=CONV))


@pytest.mark.parametrize("name", ["", "run_", "nonsense", "run_01a1fd3dde5f7980bd04657d1cb1f127"])
async def test_a_run_that_is_not_there(name: str) -> None:
    fixture = RunsFixture(ports=FakeRunPorts(run()))
    for verb in (fixture.runs.get, fixture.runs.cancel, fixture.runs.continue_run):
        with pytest.raises(NotFound) as refusal:
            await verb(ANN, name)
        assert refusal.value.code == "run_not_found"


async def test_a_run_of_another_is_not_there() -> None:
    there = run()
    fixture = RunsFixture(ports=FakeRunPorts(there))
    assert await fixture.runs.get(ANN, public("run", there.id)) == there
    with pytest.raises(NotFound):
        await fixture.runs.get(BOB, public("run", there.id))


async def test_a_cancel_reaches_the_log() -> None:
    there = run()
    fixture = RunsFixture(ports=FakeRunPorts(there))
    assert await fixture.runs.cancel(ANN, str(UUID(int=there.id.int))) == there
    assert fixture.ports.cancelled == [there.id]


RUN = RunId(uuid7())
WORD = LoggedEvent(RUN, 1, TextAppended("x", 0))
END = LoggedEvent(RUN, 2, RunStopped(StopStatus.FAILED, "c", "m", recoverable=False))


async def test_the_outcome_is_the_last_event() -> None:
    fixture = RunsFixture(ports=FakeRunPorts(tells=[Queued(RUN, 1), None, WORD, None, END]))
    assert await fixture.runs.wait_for_end(RUN) == END


async def test_an_outcome_that_is_in_the_log_no_more() -> None:
    fixture = RunsFixture(ports=FakeRunPorts(tells=[Snapshot(RUN, 2, (), recovered=True)]))
    with pytest.raises(Unavailable) as refusal:
        await fixture.runs.wait_for_end(RUN)
    assert refusal.value.code == "log_expired"


async def test_an_outcome_that_this_server_does_not_live_to_see() -> None:
    fixture = RunsFixture(ports=FakeRunPorts(tells=[WORD, Unavailable("stops", code="draining")]))
    with pytest.raises(Unavailable) as refusal:
        await fixture.runs.wait_for_end(RUN)
    assert refusal.value.code == "draining"


async def test_a_tail_begins_after_its_cursor() -> None:
    fixture = RunsFixture(ports=FakeRunPorts(tells=[WORD, END]))
    async with fixture.runs.tail(RUN, 1) as told:
        assert [item async for item in told] == [END]
