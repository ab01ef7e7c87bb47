"""Reasoning of other dialects travels through a caller and comes back as it was."""

import pytest

from cartrita.dialects.anthropic_messages.foreign_seals import reasoning_of, signature_of
from cartrita.domain.messages import Reasoning


@pytest.mark.parametrize(
    "reasoning",
    [
        Reasoning("a", signature="S", origin="anthropic_messages"),
        Reasoning("a", signature="", origin="anthropic_messages"),
        Reasoning("a", encrypted="E+/=", origin="openai_responses", id="rs_1"),
        Reasoning("a", signature="S", origin="openai_chat"),
        Reasoning("a"),
    ],
)
def test_what_comes_back(reasoning: Reasoning) -> None:
    assert reasoning_of("a", signature_of(reasoning)) == reasoning


@pytest.mark.parametrize("signature", ["cartrita.", "cartrita.é", "cartrita.e30="])
def test_a_broken_seal_is_none(signature: str) -> None:
    assert reasoning_of("a", signature) == Reasoning("a")
