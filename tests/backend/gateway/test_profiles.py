"""Profiles are found by the names of models, and each says where it is from."""

import tomllib
from datetime import date
from importlib.resources import files
from typing import get_args

import pytest
from anthropic.types import ModelParam
from openai.types.shared.chat_model import ChatModel

from cartrita.dialects.anthropic_messages.models import known_options
from cartrita.gateway.profiles import find_profile


@pytest.mark.parametrize(
    ("name", "context", "output"),
    [
        ("gpt-6.1-sol", 1_050_000, 128_000),
        ("openai/gpt-5.4", 1_050_000, 128_000),
        ("gpt-5.4-2026-03-05", 1_050_000, 128_000),
        ("gpt-5.4-mini-2026-03-17", 400_000, 128_000),
        ("gpt-5-nano", 400_000, 128_000),
        ("gpt-5.2-chat-latest", 128_000, 16_384),
        ("gpt-4.1-mini", 1_047_576, 32_768),
        ("claude-haiku-4-5-20251001", 200_000, 64_000),
        ("claude-opus-4-20250514", 200_000, 32_000),
        ("claude-sonnet-4-20250514", 200_000, 64_000),
        ("claude-haiku-5-5", 1_000_000, 128_000),
        ("claude-opus-4-6", 1_000_000, 128_000),
        ("gemini-3.8-flash", 1_048_576, 65_536),
        ("meta-llama/Llama-3.1-8B-Instruct", 131_072, None),
        ("llama3.1:8b", 131_072, None),
        ("llama3:8b", 8192, None),
        ("Meta-Llama-3-70B-Instruct", 8192, None),
        ("llama2-13b", 4096, None),
        ("qwen3:30b", None, None),
    ],
)
def test_windows(name: str, context: int | None, output: int | None) -> None:
    profile = find_profile(name)
    assert (profile.context_tokens, profile.output_tokens) == (context, output)


@pytest.mark.parametrize(
    ("name", "can", "cannot"),
    [
        ("o3-mini", "tools", "vision"),
        ("o3", "vision", "audio"),
        ("gpt-audio-mini", "audio", "vision"),
        ("gemini-embedding-001", "embeddings", "text"),
        ("gemini-2.5-flash-preview-tts", "text", "tools"),
        ("pixtral-12b", "vision", "audio"),
        ("gemma3:4b", "vision", "tools"),
    ],
)
def test_capabilities(name: str, can: str, cannot: str) -> None:
    assert can in find_profile(name).capabilities
    assert cannot not in find_profile(name).capabilities


def test_a_family_that_nobody_knows_is_unknown() -> None:
    assert not find_profile("somebody/else-7b").known


def test_the_models_that_the_official_clients_name_are_known() -> None:
    anthropic = {name for each in get_args(ModelParam) for name in get_args(each)}
    unknown = {
        name for name in anthropic | set(get_args(ChatModel)) if not find_profile(name).known
    }
    # Retired before 2027, all of them.
    assert {name.removesuffix("-preview") for name in unknown} == {
        *("codex-mini-latest", "gpt-4-0125", "gpt-4-1106", "gpt-4-vision", "gpt-4-0314"),
        *("gpt-4-32k", "gpt-4-32k-0314", "gpt-4-32k-0613"),
    }


def test_the_limits_are_those_that_the_dialect_knows() -> None:
    for each in get_args(ModelParam):
        for name in get_args(each):
            known = known_options(name)
            if known.output_tokens is not None:
                assert find_profile(name).output_tokens == known.output_tokens
                assert (find_profile(name).continues == "prefill") == known.prefill


def test_every_profile_says_where_it_is_from_and_when() -> None:
    text = files("cartrita.gateway").joinpath("profiles.toml").read_text("utf-8")
    profiles = tomllib.loads(text)["profiles"]
    assert len(profiles) > 30
    for profile in profiles:
        assert profile["checked"] >= date(2026, 11, 28)
        assert profile["source"]
