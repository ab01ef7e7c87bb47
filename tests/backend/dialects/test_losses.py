"""Losses are told in the words of the dialect that a request came in, each one once."""

from cartrita.dialects.losses import Losses
from cartrita.domain.receipts import Receipt
from cartrita.domain.requests import ModelRequest


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
