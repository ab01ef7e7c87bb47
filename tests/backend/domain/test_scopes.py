"""Scopes: what they allow, what they refuse with which words, and which are wider."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.errors import Forbidden
from cartrita.domain.scopes import NOTHING, UNLIMITED, Operation, Scopes

LETTERS = st.text("ab*/?[", max_size=6)
PATTERNS = st.lists(LETTERS.filter(bool), max_size=3).map(tuple)
NAMES = st.text("ab/?[", max_size=6)


@pytest.mark.parametrize(
    ("patterns", "allowed", "refused"),
    [
        (("openai/*",), ["openai/gpt-5"], ["openrouter/openai/gpt-5", "xopenai/gpt-5"]),
        (("openai/gpt-5*",), ["openai/gpt-5", "openai/gpt-5.4"], ["openai/gpt-4", "x/gpt-5"]),
        (("gpt-5*",), ["openai/gpt-5", "azure/gpt-5-mini"], ["openai/gpt-4", "openai/not-gpt-5"]),
        (("gpt-5*",), ["openai/gpt-5/x"], ["huggingface/anybody/gpt-5"]),
        (("*/m",), ["p/m", "p/q/m"], ["p/mm"]),
        (("p/a?",), ["p/a?"], ["p/ab"]),
        (("p/[ab]",), ["p/[ab]"], ["p/a"]),
        (("P/m",), ["P/m"], ["p/m"]),
        (("p/m\n*",), ["p/m\nx"], ["p/mx"]),
        ((), [], ["p/m"]),
    ],
)
def test_models_by_pattern(
    patterns: tuple[str, ...], allowed: list[str], refused: list[str]
) -> None:
    scopes = Scopes(models=patterns)
    for name in allowed:
        assert scopes.allows_model(*name.split("/", 1)), name
    for name in refused:
        provider, _, model = name.partition("/")
        assert not scopes.allows_model(provider, model), name


def test_a_pattern_of_a_model_does_not_allow_another_provider() -> None:
    scopes = Scopes(providers=("openai",), models=("gpt-5*",))
    assert scopes.allows_model("openai", "gpt-5")
    assert not scopes.allows_model("azure", "gpt-5")


@pytest.mark.parametrize(
    ("scopes", "asked", "code", "sentence"),
    [
        (
            Scopes(models=("gpt-5*",)),
            ("require_model", "p", "m"),
            "scope_model",
            "This API key may not use the model p/m. Its models: gpt-5*.",
        ),
        (
            Scopes(providers=tuple("abcdef")),
            ("require_model", "p", "m"),
            "scope_provider",
            "This API key may not use the provider p. Its providers: a, b, c, d, e, ....",
        ),
        (
            Scopes(operations=()),
            ("require_operation", Operation.CHAT),
            "scope_operation",
            "This API key may not use the operation chat. Its operations: none.",
        ),
        (
            Scopes(tools=("web_*",)),
            ("require_tools", ["web_search", "shell"]),
            "scope_tool",
            "This API key may not use the tool shell. Its tools: web_*.",
        ),
    ],
)
def test_a_refusal_names_what_is_missing(
    scopes: Scopes, asked: tuple[Any, ...], code: str, sentence: str
) -> None:
    name, *values = asked
    with pytest.raises(Forbidden) as refusal:
        getattr(scopes, name)(*values)
    assert (refusal.value.code, refusal.value.message) == (code, sentence)
    getattr(UNLIMITED, name)(*values)


def test_nothing_is_nothing() -> None:
    assert not NOTHING.allows_model("p", "m")
    assert not NOTHING.allows_tool("t")
    assert not any(map(NOTHING.allows_operation, Operation))
    assert NOTHING.limited
    assert not Scopes().limited
    assert Scopes(tokens_per_minute=1).limited


@pytest.mark.parametrize(
    ("own", "other", "excess"),
    [
        (Scopes(), Scopes(), None),
        (Scopes(), NOTHING, None),
        (NOTHING, Scopes(), "providers"),
        (Scopes(providers=("a", "b")), Scopes(providers=("b",)), None),
        (Scopes(providers=("a",)), Scopes(providers=("a", "b")), "providers"),
        (Scopes(models=("gpt*",)), Scopes(models=("openai/gpt-5",)), None),
        (Scopes(models=("m",)), Scopes(models=("p/m", "m")), None),
        (Scopes(models=("m",)), Scopes(models=("p/q/m",)), "models"),
        (Scopes(models=("m",)), Scopes(models=("*/m",)), "models"),
        (Scopes(models=("*/m",)), Scopes(models=("*/m", "m", "p/q/m")), None),
        (Scopes(models=("*",)), Scopes(models=("*", "*/*", "p/q/m")), None),
        (Scopes(models=("p/*",)), Scopes(models=("m",)), "models"),
        (Scopes(models=("p/a?",)), Scopes(models=("p/a*",)), "models"),
        (Scopes(models=("p/a*b",)), Scopes(models=("p/a*b*b", "p/acb")), None),
        (Scopes(models=("p/a*b",)), Scopes(models=("p/a*",)), "models"),
        (Scopes(operations=("chat",)), Scopes(operations=("chat", "keys")), "operations"),
        (Scopes(tools=("web_*",)), Scopes(tools=("*",)), "tools"),
        (Scopes(requests_per_minute=5), Scopes(requests_per_minute=6), "requests_per_minute"),
        (Scopes(tokens_per_minute=5), Scopes(), "tokens_per_minute"),
        (Scopes(tokens_per_minute=5), Scopes(tokens_per_minute=5), None),
    ],
)
def test_by_what_other_scopes_are_wider(own: Scopes, other: Scopes, excess: str | None) -> None:
    assert own.excess(other) == excess


@examples
@given(PATTERNS, PATTERNS, st.lists(NAMES, min_size=20, max_size=20))
def test_what_narrower_patterns_allow_the_wider_ones_do(
    own: tuple[str, ...], other: tuple[str, ...], names: list[str]
) -> None:
    wide, narrow = Scopes(models=own, tools=own), Scopes(models=other, tools=other)
    if wide.excess(narrow) is not None:
        return
    for name in names:
        assert wide.allows_tool(name) or not narrow.allows_tool(name)
        assert wide.allows_model("a", name) or not narrow.allows_model("a", name)


def test_a_pattern_of_many_stars_is_matched_in_time() -> None:
    scopes = Scopes(tools=("a*" * 60 + "b",))
    assert not scopes.allows_tool("a" * 200)


def test_names_that_are_longer_than_any_are_not_compared() -> None:
    scopes = Scopes(models=("*a*a",), tools=("*",))
    assert scopes.allows_model("p", "a" * 900)
    long = "a" * 1_000_000
    assert not scopes.allows_model("p", long)
    assert not scopes.allows_tool(long)


@pytest.mark.parametrize(
    ("providers", "only"),
    [
        (None, None),
        ((), None),
        (("openai",), "openai"),
        (("deepgram", "offline"), "offline"),
        (("deepgram",), None),
        (("openai", "offline"), None),
    ],
)
def test_the_only_provider_with_models(providers: tuple[str, ...] | None, only: str | None) -> None:
    assert Scopes(providers=providers).only_provider == only
