"""Losses are told in the words of the dialect that a request came in, each one once."""

import pytest

from cartrita.dialects.losses import (
    Losses,
    Rendered,
    callers_field,
    in_callers_words,
)
from cartrita.domain.errors import InvalidInput
from cartrita.domain.receipts import Receipt
from cartrita.domain.requests import ModelRequest, Sampling


def losses(origin: str | None) -> Losses:
    request = ModelRequest(owner_id="ann", model="m", messages=(), origin=origin)
    return Losses(request, "openai_chat")


def test_fields_have_the_names_that_their_caller_wrote() -> None:
    found = losses("anthropic_messages")
    found.dropped("stop", "why.")
    found.approximated("messages[2].content", "why.")
    assert found.receipts == (
        Receipt("stop_sequences", "anthropic_messages", "openai_chat", "dropped", "why."),
        Receipt("messages[2].content", "anthropic_messages", "openai_chat", "approximated", "why."),
    )


def test_the_same_loss_is_told_once() -> None:
    found = losses(None)
    for _ in range(2):
        found.dropped("seed", "why.")
    found.dropped("seed", "another reason.")
    assert [receipt.why for receipt in found.receipts] == ["why.", "another reason."]
    assert {receipt.source for receipt in found.receipts} == {"native"}


@pytest.mark.parametrize(
    ("param", "dialect", "field"),
    [
        ("max_completion_tokens", "anthropic_messages", "max_tokens"),
        ("max_output_tokens", "openai_chat", "max_completion_tokens"),
        ("stop", "anthropic_messages", "stop_sequences"),
        ("input[0].content[1].type", "openai_chat", "messages"),
        ("messages[0]", "openai_responses", "input"),
        ("text.format.schema", "openai_chat", "response_format"),
        ("include[0]", "openai_chat", None),
    ],
)
def test_a_field_that_a_provider_refused_is_found_in_the_request(
    param: str, dialect: str, field: str | None
) -> None:
    assert callers_field(param, dialect) == field


@pytest.mark.parametrize(
    ("origin", "field"),
    [
        ("openai_chat", "max_completion_tokens"),
        ("openai_responses", "max_output_tokens"),
        ("anthropic_messages", "max_tokens"),
        (None, "max_tokens"),
    ],
)
def test_a_refusal_names_the_field_of_the_caller(origin: str | None, field: str) -> None:
    @in_callers_words
    def render(request: ModelRequest) -> Rendered:
        if request.sampling.max_tokens == 0:
            raise InvalidInput.of("max_tokens", "No.")
        return Rendered(b"")

    def asking(limit: int) -> ModelRequest:
        sampling = Sampling(max_tokens=limit)
        return ModelRequest(
            owner_id="ann", model="m", messages=(), origin=origin, sampling=sampling
        )

    assert render(asking(1)) == Rendered(b"")
    with pytest.raises(InvalidInput, match=f"^{field}: ") as refused:
        render(asking(0))
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("fields", "message", "told"),
    [
        ({}, "No.", {}),
        (
            {"max_tokens": ["a"], "stop": ["b"]},
            "max_tokens: a; stop: b",
            {"max_completion_tokens": ["a"], "stop": ["b"]},
        ),
        (
            {"instructions": ["a"], "attachments[0]": ["b"], "messages": ["c"]},
            "No.",
            {"messages": ["a", "c"], "messages[0]": ["b"]},
        ),
    ],
)
def test_a_refusal_names_each_of_its_fields(
    fields: dict[str, list[str]], message: str, told: dict[str, list[str]]
) -> None:
    @in_callers_words
    def render(request: ModelRequest) -> Rendered:
        raise InvalidInput(message, fields=fields, code="odd")

    with pytest.raises(InvalidInput) as refused:
        render(ModelRequest(owner_id="ann", model="m", messages=(), origin="openai_chat"))
    assert refused.value.fields == told
    assert refused.value.message == message.replace("max_tokens", "max_completion_tokens")
    assert refused.value.code == "odd"
