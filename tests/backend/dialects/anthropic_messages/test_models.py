"""The options of models are known by their names."""

import pytest

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
        ("claude-haiku-5-5", 64_000, "adaptive", False),
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


def test_what_newer_models_take() -> None:
    assert not known_options("claude-opus-4-7").sampling
    assert known_options("claude-opus-4-6").sampling
    assert known_options("claude-opus-4-5").effort
    assert not known_options("claude-sonnet-4-0").json_schema
