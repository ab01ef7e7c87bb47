"""The fields that decide how a chat completion request is answered."""

import json
from typing import Any

import pytest

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.openai.chat_fields import chat_fields
from cartrita.surfaces.openai.errors import InvalidExtension


def body(**fields: Any) -> RelayedBody:
    return RelayedBody.of(json.dumps({"model": "m", "messages": [], **fields}).encode())


def test_what_is_absent_or_null() -> None:
    fields = chat_fields(body(stream=None, n=None, store=None, conversation_id=None))
    assert (fields.model, fields.stream, fields.choices, fields.stored) == ("m", False, 1, False)


@pytest.mark.parametrize(
    "given", [{"store": True}, {"background": True}, {"conversation_id": "user_1"}]
)
def test_what_makes_a_run(given: dict[str, Any]) -> None:
    assert chat_fields(body(**given)).stored


def test_the_old_form() -> None:
    assert chat_fields(body(functions=[])).legacy
    assert not chat_fields(body(functions=[], tools=[])).legacy


@pytest.mark.parametrize("options", [None, {}, "x", {"include_usage": 1}])
def test_usage_that_is_not_asked_for(options: object) -> None:
    assert not chat_fields(body(stream_options=options)).include_usage


@pytest.mark.parametrize(
    "given",
    [*({"conversation_id": bad} for bad in (3, "", "..", "a/b", "x" * 201)), {"background": 1}],
)
def test_our_own_fields(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidExtension):
        chat_fields(body(**given))


@pytest.mark.parametrize("given", [{"n": True}, {"n": 129}, {"store": "no"}, {"model": ""}])
def test_the_vendors_fields(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        chat_fields(body(**given))
    assert list(refused.value.fields) == list(given)
