"""Asking for runs and watching them: what is asked of the log, and what is refused."""

from uuid import UUID

import pytest
from tests.backend.application.cases import ANN, BOB, CONV, KEY, TALK, Case
from tests.backend.application.stand_ins import (
    RunBook,
    run,
)

from cartrita.application.runs import ChatCommand
from cartrita.application.titles import UNTITLED
from cartrita.domain.errors import InvalidInput, NotFound, Unavailable
from cartrita.domain.events import LoggedEvent, RunStopped, StopStatus, TextAppended
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import (
    Admission,
    BusyPolicy,
    NewMessage,
    Queued,
    RunInput,
    Snapshot,
)
from cartrita.kit.ids import RunId, public, uuid7


async def test_a_question_in_a_new_conversation() -> None:
    case = Case()
    admitted = await case.cases.start(
        ANN, ChatCommand(message="What is\nthis?", metadata={"a": 1}), KEY
    )
    assert admitted.created
    assert case.admission == Admission(
        owner_id="ann",
        surface="native",
        input=RunInput(agent="assistant", provider="p", model="m"),
        title="What is",
        untitled=UNTITLED,
        new_message=NewMessage(
            message=Message(Role.USER, (Text("What is\nthis?"),)), metadata={"a": 1}
        ),
        idempotency=KEY,
    )


async def test_everything_that_a_caller_says_is_passed_on() -> None:
    context = (Message(Role.USER, (Text("earlier"),)),)
    case = Case()
    ask = ChatCommand(
        message="Hi",
        surface="other",
        conversation_id=CONV,
        client_msg_id="c",
        provider="p",
        model="p/special",
        agent="assistant",
        context=context,
        sampling=Sampling(temperature=0.1),
        instructions="Be brief.",
        metadata={"a": 1},
        busy=BusyPolicy.REJECT,
    )
    await case.cases.start(ANN, ask)
    admission = case.admission
    assert admission.conversation_id == TALK.id
    assert (admission.surface, admission.client_msg_id) == ("other", "c")
    assert admission.busy is BusyPolicy.REJECT
    assert admission.input == RunInput(
        agent="assistant",
        provider="p",
        model="special",
        instructions="Be brief.",
        sampling=Sampling(temperature=0.1),
        context=context,
    )
    assert admission.new_message is not None
    assert admission.new_message.metadata == {"a": 1}
    assert admission.new_message.parent_id is None


@pytest.mark.parametrize("busy", [BusyPolicy.ENQUEUE, BusyPolicy.INTERRUPT])
async def test_the_server_says_what_to_do_when_busy_unless_the_caller_does(
    busy: BusyPolicy,
) -> None:
    case = Case(busy=busy)
    await case.cases.start(ANN, ChatCommand(message="Hi"))
    assert case.admission.busy is busy
    asked = Case(busy=busy)
    await asked.cases.start(ANN, ChatCommand(message="Hi", busy=BusyPolicy.REJECT))
    assert asked.admission.busy is BusyPolicy.REJECT


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (ChatCommand(message="Hi", conversation_id="conv_" + "0" * 32), NotFound),
        (ChatCommand(message="Hi", agent="nobody"), NotFound),
        (ChatCommand(message="Hi", provider="nobody"), NotFound),
        (ChatCommand(message="Hi", model="no/such"), NotFound),
        (ChatCommand(message="Hi", attachments=("file_1",)), InvalidInput),
        (ChatCommand(message="Hi", tools=("saw",)), InvalidInput),
    ],
)
async def test_what_nobody_has_is_told_and_nothing_is_stored(
    ask: ChatCommand, kind: type[Exception]
) -> None:
    case = Case()
    with pytest.raises(kind):
        await case.cases.start(ANN, ask)
    assert case.book.admitted == []


async def test_a_conversation_of_another_is_not_there() -> None:
    with pytest.raises(NotFound):
        await Case().cases.start(BOB, ChatCommand(message="Hi", conversation_id=CONV))


@pytest.mark.parametrize("name", ["", "run_", "nonsense", "run_01a1fd3dde5f7980bd04657d1cb1f127"])
async def test_a_run_that_is_not_there(name: str) -> None:
    case = Case(book=RunBook(run()))
    for verb in (case.cases.get, case.cases.cancel, case.cases.continue_run):
        with pytest.raises(NotFound) as refusal:
            await verb(ANN, name)
        assert refusal.value.code == "run_not_found"


async def test_a_run_of_another_is_not_there() -> None:
    there = run()
    case = Case(book=RunBook(there))
    assert await case.cases.get(ANN, public("run", there.id)) == there
    with pytest.raises(NotFound):
        await case.cases.get(BOB, public("run", there.id))


async def test_a_cancel_reaches_the_log() -> None:
    there = run()
    case = Case(book=RunBook(there))
    assert await case.cases.cancel(ANN, str(UUID(int=there.id.int))) == there
    assert case.book.cancelled == [there.id]


RUN = RunId(uuid7())
WORD = LoggedEvent(RUN, 1, TextAppended("x", 0))
END = LoggedEvent(RUN, 2, RunStopped(StopStatus.FAILED, "c", "m", recoverable=False))


async def test_the_outcome_is_the_last_event() -> None:
    case = Case(book=RunBook(tells=[Queued(RUN, 1), None, WORD, None, END]))
    assert await case.cases.wait_for_end(RUN) == END


async def test_an_outcome_that_is_in_the_log_no_more() -> None:
    case = Case(book=RunBook(tells=[Snapshot(RUN, 2, (), recovered=True)]))
    with pytest.raises(Unavailable) as refusal:
        await case.cases.wait_for_end(RUN)
    assert refusal.value.code == "log_expired"


async def test_an_outcome_that_this_server_does_not_live_to_see() -> None:
    case = Case(book=RunBook(tells=[WORD, Unavailable("stops", code="draining")]))
    with pytest.raises(Unavailable) as refusal:
        await case.cases.wait_for_end(RUN)
    assert refusal.value.code == "draining"


async def test_a_tail_begins_after_its_cursor() -> None:
    case = Case(book=RunBook(tells=[WORD, END]))
    async with case.cases.tail(RUN, 1) as told:
        assert [item async for item in told] == [END]
