"""Items that ask for approvals: which are ours, and which of an input are its answers."""

from uuid import UUID

import pytest

from cartrita.dialects.openai_responses.approval_items import (
    ApprovalPlace,
    is_own,
    last_answers,
    parse_place,
    request_item,
    shown_calls,
    without_approvals,
)
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Message, Role, Text, VendorPart

PLACE = ApprovalPlace(UUID(int=1), UUID(int=2), "a" * 64)
REQUEST = request_item(PLACE, "act", {"on": "it"})
THEIRS: JsonObject = {**REQUEST, "id": "mcpr_682bd9cd428c8198b170dc6b549d66fc016e86a03f4cc828"}


def answer(item: JsonObject, *, approve: bool = True) -> JsonObject:
    asked = item["id"]
    return {"type": "mcp_approval_response", "approval_request_id": asked, "approve": approve}


def test_an_id_names_its_place() -> None:
    assert parse_place(REQUEST["id"]) == PLACE
    assert parse_place(THEIRS["id"]) is None
    assert parse_place(7) is None
    assert is_own(REQUEST)
    assert is_own(answer(REQUEST))
    assert not is_own(THEIRS)
    assert not is_own({"type": "message", "id": REQUEST["id"]})


@pytest.mark.parametrize("approve", ["true", 1, None])
def test_an_answer_is_yes_or_no(approve: JsonValue) -> None:
    with pytest.raises(InvalidInput) as refused:
        last_answers([{**answer(REQUEST), "approve": approve}])
    assert (list(refused.value.fields), refused.value.code) == (
        ["input[0].approve"],
        "invalid_type",
    )


def test_an_answer_that_would_be_lost_is_refused() -> None:
    said: JsonObject = {"role": "user", "content": "x"}
    inputs: list[list[JsonValue]] = [
        [answer(REQUEST), said],
        [answer(REQUEST), said, answer(REQUEST)],
    ]
    for items in inputs:
        with pytest.raises(InvalidInput) as refused:
            last_answers(items)
        assert list(refused.value.fields) == ["input[0]"]


def test_the_answers_are_the_end_of_an_input() -> None:
    said: JsonObject = {"role": "user", "content": "x"}
    first, second = last_answers([said, answer(REQUEST), answer(REQUEST, approve=False)])
    assert (first.place, first.approve, first.position) == (PLACE, True, 1)
    assert (second.approve, second.position) == (False, 2)
    replied: JsonObject = {"role": "assistant", "content": "y"}
    assert last_answers([answer(REQUEST), replied, said]) == ()
    assert last_answers([answer(THEIRS)]) == ()
    assert last_answers("x") == ()


def test_calls_are_read_as_they_were_shown() -> None:
    broken: JsonObject = {**REQUEST, "arguments": "{"}
    none: JsonObject = {**REQUEST, "arguments": None}
    items: list[JsonObject] = [REQUEST, broken, none, THEIRS]
    shown = [arguments for _, _, arguments in shown_calls([*items])]
    assert shown == [{"on": "it"}, None, None]
    assert list(shown_calls("x")) == []


def test_a_history_is_without_them() -> None:
    kept = Message(Role.USER, (Text("x"),))
    mixed = Message(Role.ASSISTANT, (Text("y"), VendorPart("openai_responses", REQUEST)))
    gone = Message(Role.TOOL, (VendorPart("openai_responses", answer(REQUEST)),))
    theirs = Message(Role.ASSISTANT, (VendorPart("openai_responses", THEIRS),))
    expected = (kept, Message(Role.ASSISTANT, (Text("y"),)), theirs)
    assert without_approvals((kept, mixed, gone, theirs)) == expected
