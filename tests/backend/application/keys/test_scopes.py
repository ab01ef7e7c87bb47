"""Scopes as callers write them."""

import pytest

from cartrita.application.keys.scopes import parse_scopes, valid_scopes
from cartrita.domain.errors import InvalidInput
from cartrita.domain.scopes import Scopes


def test_words_of_the_command_line() -> None:
    words = ["provider=openai", "model=openai/gpt-5*", "operation=chat", "operation=keys", "tool="]
    assert parse_scopes(words) == Scopes(
        providers=("openai",), models=("openai/gpt-5*",), operations=("chat", "keys"), tools=()
    )
    assert parse_scopes([]) is None
    assert parse_scopes(["requests_per_minute=60"]) == Scopes(requests_per_minute=60)
    both = ["tokens_per_minute=1000000000", "requests_per_minute=1000000", "provider=openai"]
    assert parse_scopes(both) == Scopes(
        providers=("openai",), requests_per_minute=1_000_000, tokens_per_minute=1_000_000_000
    )
    for wrong in (
        "openai",
        "colour=red",
        "operation=fly",
        "=x",
        "requests_per_minute=0",
        "requests_per_minute=x",
        "requests_per_minute=1000001",
        "tokens_per_minute=0",
        "tokens_per_minute=",
        "tokens_per_minute=1000000001",
    ):
        with pytest.raises(InvalidInput):
            parse_scopes([wrong])


@pytest.mark.parametrize(
    ("scopes", "field"),
    [
        (Scopes(providers=("",)), "scopes.providers"),
        (Scopes(models=("x" * 201,)), "scopes.models"),
        (Scopes(models=(" m",)), "scopes.models"),
        (Scopes(tools=("\x00",)), "scopes.tools"),
        (Scopes(tools=("t",) * 101), "scopes.tools"),
        (Scopes(operations=("chats",)), "scopes.operations"),
        (Scopes(requests_per_minute=0), "scopes.requests_per_minute"),
        (Scopes(tokens_per_minute=10**9 + 1), "scopes.tokens_per_minute"),
    ],
)
def test_names_that_cannot_be(scopes: Scopes, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        valid_scopes(scopes)
    assert list(refusal.value.fields) == [field]
