"""Use cases of runs: what is asked of the log for what a caller wants, and what is refused."""

from typing import Any, cast
from uuid import UUID

import pytest
from tests.backend.application.stand_ins import (
    BEGIN,
    Branch,
    Provider,
    RunBook,
    Shelf,
    gateway,
    run,
    said,
)

from cartrita.application.runs import Ask, Runs
from cartrita.application.titles import UNTITLED
from cartrita.domain.accounts import Principal
from cartrita.domain.conversations import Conversation
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from cartrita.domain.events import LoggedEvent, RunStopped, StopKind, TextAppended
from cartrita.domain.messages import Message, Reasoning, Role, StoredMessage, Text
from cartrita.domain.ports import ConversationStore
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import (
    Admission,
    Busy,
    Idempotency,
    NewMessage,
    Queued,
    RunInput,
    RunStatus,
    Snapshot,
)
from cartrita.kit.ids import ConversationId, MessageId, RunId, public, uuid7

ANN, BOB = Principal("ann", "key"), Principal("bob", "key")
KEY = Idempotency("chat", "k", b"h")
TALK = Conversation(
    id=ConversationId(uuid7()), owner_id="ann", title="t", created_at=BEGIN, updated_at=BEGIN,
    external_id="theirs",
)  # fmt: skip
CONV = public("conv", TALK.id)


class Case:
    """Use cases over a few runs and messages."""

    def __init__(self, *messages: StoredMessage, book: RunBook | None = None, **given: Any) -> None:
        self.book = book or RunBook()
        shelf = cast("ConversationStore", Shelf(TALK))
        ports = self.book, self.book, self.book, shelf, Branch(*messages)
        self.cases = Runs(*ports, gateway(Provider()), **given)

    @property
    def admission(self) -> Admission:
        [only] = self.book.admitted
        return only


def in_talk(text: str, role: Role = Role.USER, **values: Any) -> StoredMessage:
    return said(text, role, conversation_id=TALK.id, **values)


async def test_a_question_in_a_new_conversation() -> None:
    case = Case()
    admitted = await case.cases.ask(ANN, Ask(message="What is\nthis?", metadata={"a": 1}), KEY)
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
    ask = Ask(
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
        busy=Busy.REJECT,
    )
    await case.cases.ask(ANN, ask)
    admission = case.admission
    assert admission.conversation_id == TALK.id
    assert (admission.surface, admission.client_msg_id) == ("other", "c")
    assert admission.busy is Busy.REJECT
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


@pytest.mark.parametrize("busy", [Busy.ENQUEUE, Busy.INTERRUPT])
async def test_the_server_says_what_to_do_when_busy_unless_the_caller_does(busy: Busy) -> None:
    case = Case(busy=busy)
    await case.cases.ask(ANN, Ask(message="Hi"))
    assert case.admission.busy is busy
    asked = Case(busy=busy)
    await asked.cases.ask(ANN, Ask(message="Hi", busy=Busy.REJECT))
    assert asked.admission.busy is Busy.REJECT


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (Ask(message="Hi", conversation_id="conv_" + "0" * 32), NotFound),
        (Ask(message="Hi", agent="nobody"), NotFound),
        (Ask(message="Hi", provider="nobody"), NotFound),
        (Ask(message="Hi", model="no/such"), NotFound),
        (Ask(message="Hi", attachments=("file_1",)), InvalidInput),
        (Ask(message="Hi", tools=("saw",)), InvalidInput),
    ],
)
async def test_what_nobody_has_is_told_and_nothing_is_stored(
    ask: Ask, kind: type[Exception]
) -> None:
    case = Case()
    with pytest.raises(kind):
        await case.cases.ask(ANN, ask)
    assert case.book.admitted == []


async def test_a_conversation_of_another_is_not_there() -> None:
    with pytest.raises(NotFound):
        await Case().cases.ask(BOB, Ask(message="Hi", conversation_id=CONV))


# Answering again


async def test_a_retry_answers_the_question_as_it_was_answered() -> None:
    question = in_talk("why?")
    answer = in_talk("because", Role.ASSISTANT, parent_id=question.id, depth=1)
    first = run(
        user_message_id=question.id,
        input=RunInput(
            agent="assistant",
            provider="p",
            model="special",
            prefix="half",
            instructions="Be brief.",
        ),
    )
    for message in (question, answer):
        case = Case(question, answer, book=RunBook(first))
        await case.cases.retry(ANN, "theirs", public("msg", message.id), KEY)
        assert case.admission == Admission(
            owner_id="ann",
            surface="native",
            input=RunInput(
                agent="assistant", provider="p", model="special", instructions="Be brief."
            ),
            title="",
            conversation_id=TALK.id,
            answer_to=question.id,
            idempotency=KEY,
        )


async def test_a_retry_of_what_no_run_answered_takes_the_defaults() -> None:
    question = in_talk("why?")
    case = Case(question)
    await case.cases.retry(ANN, CONV, public("msg", question.id))
    assert case.admission.input == RunInput(agent="assistant", provider="p", model="m")


async def test_an_answer_to_nothing_cannot_be_tried_again() -> None:
    lonely = in_talk("hello", Role.ASSISTANT)
    with pytest.raises(Conflict):
        await Case(lonely).cases.retry(ANN, CONV, public("msg", lonely.id))


@pytest.mark.parametrize("verb", ["retry", "edit"])
async def test_a_message_that_is_not_there(verb: str) -> None:
    elsewhere = said("in another conversation")
    case = Case(elsewhere, in_talk("x"))
    more = ("text",) if verb == "edit" else ()
    for name in (public("msg", elsewhere.id), public("msg", uuid7()), "msg_", "nonsense"):
        with pytest.raises(NotFound) as refusal:
            await getattr(case.cases, verb)(ANN, CONV, name, *more)
        assert refusal.value.code == "message_not_found"
    for principal, conversation in ((BOB, CONV), (ANN, "no such")):
        with pytest.raises(NotFound) as refusal:
            await getattr(case.cases, verb)(principal, conversation, "msg_", *more)
        assert refusal.value.code == "conversation_not_found"
    assert case.book.admitted == []


# Other words


async def test_an_edit_begins_a_branch_beside_the_old_message() -> None:
    parent = MessageId(uuid7())
    old = in_talk("old words", parent_id=parent, depth=2)
    case = Case(old)
    await case.cases.edit(ANN, CONV, public("msg", old.id), "new words", KEY)
    assert case.admission.conversation_id == TALK.id
    assert case.admission.idempotency == KEY
    assert case.admission.new_message == NewMessage(
        message=Message(Role.USER, (Text("new words"),)), parent_id=parent, edited=True
    )


async def test_an_edit_of_the_first_message_begins_at_the_root() -> None:
    first = in_talk("old words")
    case = Case(first)
    await case.cases.edit(ANN, CONV, public("msg", first.id), "new words")
    assert case.admission.new_message is not None
    assert case.admission.new_message.at_root
    assert case.admission.new_message.parent_id is None


async def test_only_a_question_can_be_asked_in_other_words() -> None:
    answer = in_talk("because", Role.ASSISTANT)
    with pytest.raises(Conflict):
        await Case(answer).cases.edit(ANN, CONV, public("msg", answer.id), "x")


# Going on


@pytest.mark.parametrize("status", [s for s in RunStatus if s.ended and s != "completed"])
async def test_an_answer_that_ended_early_goes_on(status: RunStatus) -> None:
    ended = run(status=status, surface="other")
    half = said("half an ans", Role.ASSISTANT, id=ended.message_id)
    case = Case(half, book=RunBook(ended))
    await case.cases.resume(ANN, public("run", ended.id), KEY)
    assert case.admission == Admission(
        owner_id="ann",
        surface="other",
        input=RunInput(
            agent="assistant",
            provider="p",
            model="m",
            instructions="Be brief.",
            prefix="half an ans",
        ),
        title="",
        conversation_id=ended.conversation_id,
        answer_to=ended.user_message_id,
        busy=Busy.REJECT,
        idempotency=KEY,
    )


async def test_one_that_said_nothing_begins_anew() -> None:
    ended = run(status=RunStatus.FAILED)
    case = Case(book=RunBook(ended))
    await case.cases.resume(ANN, public("run", ended.id))
    assert case.admission.input.prefix == ""


@pytest.mark.parametrize(
    "status", [RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.WAITING]
)
async def test_nothing_else_can_be_continued(status: RunStatus) -> None:
    there = run(status=status)
    case = Case(book=RunBook(there))
    with pytest.raises(Conflict) as refusal:
        await case.cases.resume(ANN, public("run", there.id))
    assert refusal.value.code == "not_continuable"
    assert status in refusal.value.message


async def test_an_answer_of_more_than_text_is_not_continued() -> None:
    ended = run()
    parts = (Reasoning("hm"), Text("half"))
    half = said("", id=ended.message_id, message=Message(Role.ASSISTANT, parts))
    with pytest.raises(Conflict) as refusal:
        await Case(half, book=RunBook(ended)).cases.resume(ANN, public("run", ended.id))
    assert refusal.value.code == "not_continuable"


# Watching


@pytest.mark.parametrize("name", ["", "run_", "nonsense", public("run", uuid7())])
async def test_a_run_that_is_not_there(name: str) -> None:
    case = Case(book=RunBook(run()))
    for verb in (case.cases.get, case.cases.cancel, case.cases.resume):
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
END = LoggedEvent(RUN, 2, RunStopped(StopKind.FAILED, "c", "m", recoverable=False))


async def test_the_outcome_is_the_last_event() -> None:
    case = Case(book=RunBook(tells=[Queued(RUN, 1), None, WORD, None, END]))
    assert await case.cases.outcome(RUN) == END


async def test_an_outcome_that_is_in_the_log_no_more() -> None:
    case = Case(book=RunBook(tells=[Snapshot(RUN, 2, (), recovered=True)]))
    with pytest.raises(Unavailable) as refusal:
        await case.cases.outcome(RUN)
    assert refusal.value.code == "log_expired"


async def test_an_outcome_that_this_server_does_not_live_to_see() -> None:
    case = Case(book=RunBook(tells=[WORD, Unavailable("stops", code="draining")]))
    with pytest.raises(Unavailable) as refusal:
        await case.cases.outcome(RUN)
    assert refusal.value.code == "draining"


async def test_a_tail_begins_after_its_cursor() -> None:
    case = Case(book=RunBook(tells=[WORD, END]))
    async with case.cases.tail(RUN, 1) as told:
        assert [item async for item in told] == [END]
