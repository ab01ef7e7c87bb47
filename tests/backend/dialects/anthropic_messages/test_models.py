"""The options of models are known by their names."""

from typing import get_args

import pytest
from anthropic._data import MODELS_TO_WARN_WITH_THINKING_ENABLED
from anthropic.types import ModelParam

from cartrita.dialects.anthropic_messages.models import ModelOptions, known_options


@pytest.mark.parametrize(
    ("name", "limit", "thinking", "prefill"),
    [
        ("claude-3-haiku-20240307", 4096, None, True),
        ("claude-3-5-sonnet-latest", 8192, None, True),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", 64_000, "budget", True),
        ("claude-opus-4-20250514", 32_000, "budget", True),
        ("claude-opus-4-1-20250805", 32_000, "budget", True),
        ("claude-sonnet-4-5", 64_000, "budget", True),
        ("claude-haiku-4-5-20251001", 64_000, "budget", True),
        ("claude-opus-4-5", 64_000, "budget", True),
        ("claude-opus-4-6", 128_000, "adaptive", False),
        ("anthropic/claude-sonnet-5.5", 128_000, "adaptive", False),
        ("claude-haiku-5-5", 128_000, "adaptive", False),
    ],
)
def test_names(name: str, limit: int, thinking: str | None, prefill: bool) -> None:
    options = known_options(name)
    assert options.output_tokens == limit
    assert options.thinking == thinking
    assert options.prefill == prefill


@pytest.mark.parametrize("name", ["gpt-5.4", "llama3.1:8b", "claude", "offline"])
def test_other_names_have_the_defaults(name: str) -> None:
    assert known_options(name) == ModelOptions()


def test_the_models_that_the_official_client_names_are_known() -> None:
    names = {name for each in get_args(ModelParam) for name in get_args(each)}
    assert len(names) > 20
    unknown = {name for name in names if known_options(name) == ModelOptions()}
    assert unknown == {"claude-mythos-preview"}  # which is retired, and names no version


@pytest.mark.parametrize("name", MODELS_TO_WARN_WITH_THINKING_ENABLED)
def test_what_the_official_client_warns_of_is_not_sent(name: str) -> None:
    if name != "claude-mythos-preview":
        assert known_options(name).thinking == "adaptive"


@pytest.mark.parametrize(
    ("name", "off", "forced"),
    [
        ("claude-opus-4-8", "disabled", True),
        ("claude-opus-5", "disabled", True),
        ("claude-sonnet-5", "disabled", True),
        ("claude-haiku-5-5", "disabled", True),
        ("claude-sonnet-5-5", "between_tools", False),
        ("claude-opus-5-5", None, False),
        ("claude-fable-5", None, True),
        ("claude-fable-5-2", None, False),
        ("claude-mythos-5-1", None, False),
    ],
)
def test_reasoning_that_cannot_be_turned_off(name: str, off: str | None, forced: bool) -> None:
    options = known_options(name)
    assert (options.thinking_off, options.forced_tools) == (off, forced)
    assert options.thinks_unasked is (name != "claude-opus-4-8")


def test_what_newer_models_take() -> None:
    assert not known_options("claude-opus-4-7").sampling
    assert known_options("claude-opus-4-6").sampling
    assert known_options("claude-opus-4-5").effort
    assert not known_options("claude-sonnet-4-5").effort
    assert not known_options("claude-opus-4-1").json_schema
    assert known_options("claude-haiku-4-5").json_schema
    assert not known_options("claude-opus-4-7").system_messages
    assert known_options("claude-opus-4-8").system_messages
