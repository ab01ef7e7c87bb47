"""The place of a request's messages in a stored conversation, whatever part of it is sent again."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.application.fakes import BEGIN
from tests.backend.examples import examples

from cartrita.application.conversations.placement import Placement, place, regrouped
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.messages import (
    Attachment,
    Message,
    MessageStatus,
    Part,
    Reasoning,
    Refusal,
    Role,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)

IMAGE = Attachment("image/png", url="data:image/png;base64,AA==")


def user(text: str, *parts: Part) -> Message:
    return Message(Role.USER, (Text(text), *parts))


def answer(text: str, *parts: Part) -> Message:
    return Message(Role.ASSISTANT, (Text(text), *parts))


def result(call_id: str) -> Message:
    return Message(Role.TOOL, (ToolResult(call_id, (Text("done"),)),))


def stored(*messages: Message, depth: int = 0) -> list[StoredMessage]:
    """A branch of these messages; the id of each is its number from 1."""
    return [
        StoredMessage(
            id=message_id(number),
            conversation_id=ConversationId(UUID(int=0)),
            parent_id=message_id(number - 1) if number > 1 else None,
            depth=depth + number - 1,
            message=message,
            status=MessageStatus.COMPLETE,
            created_at=BEGIN,
        )
        for number, message in enumerate(messages, 1)
    ]


def message_id(number: int) -> MessageId:
    return MessageId(UUID(int=number))


HISTORY = (user("One?"), answer("1."), user("Two?"), answer("2."))
BRANCH = stored(*HISTORY)
NEXT = user("Three?")


def test_the_whole_history_and_a_new_message() -> None:
    assert place(BRANCH, (*HISTORY, NEXT)) == Placement((NEXT,), message_id(4))


def test_only_the_new_message() -> None:
    assert place(BRANCH, (NEXT,)) == Placement((NEXT,))
    assert place([], (NEXT,)) == Placement((NEXT,))


@pytest.mark.parametrize("kept", [HISTORY[2:], HISTORY[3:], (HISTORY[0], *HISTORY[2:])])
def test_a_history_of_which_older_messages_are_left_out(kept: tuple[Message, ...]) -> None:
    assert place(BRANCH, (*kept, NEXT)) == Placement((NEXT,), message_id(4))


def test_the_latest_part_of_a_branch_that_was_not_read_from_its_root() -> None:
    branch = stored(*HISTORY, depth=10)
    assert place(branch, (*HISTORY, NEXT)) == Placement((NEXT,), message_id(4))
    assert place(branch, (HISTORY[0],)) == Placement((HISTORY[0],))


def test_words_that_were_said_before_are_new() -> None:
    branch = stored(user("Begin"), answer("Go on?"), user("Yes"), answer("Really?"))
    assert place(branch, (user("Yes"),)) == Placement((user("Yes"),))
    assert place(branch, (user("Yes"), user("Yes"))).parent_id is None


def test_a_history_without_a_new_message_has_its_last_message_answered_again() -> None:
    assert place(BRANCH, HISTORY[:3]) == Placement((), message_id(3))
    assert place(BRANCH, HISTORY[:1]) == Placement((), message_id(1))
    assert place(BRANCH, HISTORY) == Placement((), message_id(4))
    assert place(BRANCH[:3], HISTORY[:3]) == Placement((), message_id(3))


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_history_that_diverges_is_a_branch(length: int) -> None:
    new = (user("Other?"),) if length != 1 else (answer("Other."), user("Other?"))
    sent = (*HISTORY[:length], *new)
    assert place(BRANCH, sent) == Placement(new, message_id(length))


def test_a_history_of_another_conversation_is_a_branch_at_the_root() -> None:
    other = (user("Who?"), answer("Me."), NEXT)
    assert place(BRANCH, other) == Placement(other, at_root=True)
    assert place([], other) == Placement(other)


def test_an_edit_that_repeats_later_words_is_no_gap() -> None:
    branch = stored(user("Hi"), answer("Hello"), user("Well"), answer("Yes?"), user("Go on"))
    sent = (user("Hi"), answer("Hello"), user("Go on"))
    assert place(branch, sent) == Placement((user("Go on"),), message_id(2))


@pytest.mark.parametrize(
    "sent",
    [
        user("  One?\r\nÄh. \r\n"),
        Message(Role.USER, (Text("One?\n"), Text("A\u0308h."))),
    ],
)
def test_text_is_normalised(sent: Message) -> None:
    branch = stored(user("One?\nÄh."), answer("1."))
    assert place(branch, (sent, answer("1.\n"), NEXT)) == Placement((NEXT,), message_id(2))


def test_what_the_client_was_not_sent_is_not_compared() -> None:
    look, cat = ToolCall("c1", "look", {}), ToolResult("c1", (Text("a cat"),))
    whole = Message(Role.ASSISTANT, (Reasoning("hm"), Text("I look."), look, cat, Text(" A cat.")))
    branch = stored(user("What?"), whole, user("And?"), Message(Role.ASSISTANT, (Text("No."),)))
    sent = (user("What?"), answer("I look. A cat."), user("And?"))
    refused = Message(Role.ASSISTANT, (Refusal("No."),))
    assert place(branch, (*sent, refused, NEXT)) == Placement((NEXT,), message_id(4))


def test_calls_and_results_match_by_id() -> None:
    calls = (ToolCall("c1", "a", {"x": 1}), ToolCall("c2", "b", {}))
    branch = stored(user("Do"), answer("I do.", *calls))
    sent_calls = Message(Role.ASSISTANT, (ToolCall("c1", "a", {}), ToolCall("c2", "b", {})))
    both = Message(Role.TOOL, result("c1").parts + result("c2").parts)
    new = (result("c1"), result("c2"))
    assert place(branch, (user("Do"), sent_calls, both)) == Placement(new, message_id(2))
    assert place(branch, (both,)) == Placement(new)
    answered = [*branch, *stored(user("Do"), answer("I do."), *new, answer("Done."))[2:]]
    sent = (user("Do"), sent_calls, both, answer("Done."), NEXT)
    assert place(answered, sent) == Placement((NEXT,), message_id(5))


def test_a_file_is_a_part_of_a_message() -> None:
    other = Attachment("image/png", attachment_id="file_1")
    odd = VendorPart("openai_chat", {"b": 1, "a": 2})
    branch = stored(user("See", IMAGE, other, odd), answer("Yes."))
    same = user("See", IMAGE, other, VendorPart("openai_chat", {"a": 2, "b": 1}))
    assert place(branch, (same, answer("Yes."), NEXT)) == Placement((NEXT,), message_id(2))
    for parts in ((other, odd), (IMAGE, odd), (IMAGE, other)):
        assert place(branch, (user("See", *parts),)) == Placement((user("See", *parts),))
    assert place(branch, (same,)) == Placement((), message_id(1))


def test_consecutive_answers_are_one() -> None:
    pieces = (answer("1"), answer(".", ToolCall("c1", "a", {})))
    assert regrouped(pieces) == (Message(Role.ASSISTANT, pieces[0].parts + pieces[1].parts),)
    branch = stored(user("One?"), answer("1"), answer("."))
    assert place(branch, (user("One?"), answer("1."), NEXT)) == Placement((NEXT,), message_id(3))


def test_results_come_out_of_what_a_user_says_and_system_text_is_left_out() -> None:
    mixed = Message(Role.USER, (*result("c1").parts, Text("And?")))
    system = Message(Role.SYSTEM, (Text("Be brief."),))
    assert regrouped((mixed, system)) == (result("c1"), Message(Role.USER, (Text("And?"),)))
    assert regrouped((Message(Role.USER, ()),)) == (Message(Role.USER, ()),)


_WORDS = st.sampled_from(["yes", "no", "go on", "why?", "Ä", "a\nb"])
_TURN = st.tuples(_WORDS.map(user), _WORDS.map(answer))
_TURNS = st.lists(_TURN, max_size=6).map(lambda turns: tuple(one for turn in turns for one in turn))


@given(_TURNS, st.lists(_WORDS.map(user), min_size=1, max_size=2))
@examples
def test_what_is_sent_again_is_never_stored_again(
    history: tuple[Message, ...], new: list[Message]
) -> None:
    assert place(stored(*history), (*history, *new)).new == tuple(new)


@given(_TURNS, _TURNS, st.lists(_WORDS.map(user), min_size=1, max_size=2))
@examples
def test_nothing_that_is_sent_is_lost(
    history: tuple[Message, ...], sent: tuple[Message, ...], new: list[Message]
) -> None:
    """The new messages are the last ones sent, and the parent is the one that matched before."""
    whole = (*sent, *new)
    found = place(stored(*history), whole)
    assert found.new == (whole[len(whole) - len(found.new) :] if found.new else ())
    matched = whole[: len(whole) - len(found.new)]
    assert bool(matched) == (found.parent_id is not None)
    if matched and found.parent_id is not None:
        assert history[found.parent_id.int - 1] == matched[-1]
