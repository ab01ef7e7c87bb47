"""What the lists of models of many servers tell, each in its own words."""

import json

import pytest

from cartrita.dialects.openai_model_list import parse_models
from cartrita.domain.models import ModelProfile


def profile(**fields: object) -> ModelProfile:
    body = {"object": "list", "data": [{"id": "m", "object": "model"} | fields]}
    ((name, found),) = parse_models(json.dumps(body).encode())
    assert name == fields.get("id", "m")
    return found


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"context_length": 8192}, 8192),  # OpenRouter
        ({"context_window": 131072}, 131072),  # Groq
        ({"max_model_len": 4096}, 4096),  # vLLM
        ({"max_context_length": 32768}, 32768),  # Mistral, LM Studio
        ({"meta": {"n_ctx_train": 2048}}, 2048),  # llama.cpp
        ({"providers": [{"context_length": 10}, {"context_length": 20}, {}, None]}, 20),  # HF
        ({"context_length": "many", "max_model_len": 7}, 7),
        ({"context_length": True}, None),
        ({"context_length": -1}, None),
        ({"context_length": 10**30}, None),
        ({"meta": 5, "providers": {}, "architecture": [], "capabilities": 3}, None),
        ({}, None),
    ],
)
def test_the_size_of_the_context(fields: dict[str, object], tokens: int | None) -> None:
    assert profile(**fields).context_tokens == tokens


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        (
            {"architecture": {"input_modalities": ["text", "image", "file"]}},
            {"vision", "documents"},
        ),
        ({"supported_parameters": ["tools", "response_format", "seed"]}, {"tools", "json"}),
        ({"capabilities": {"function_calling": True, "vision": False}}, {"tools"}),
        ({"capabilities": ["tool_use"]}, {"tools"}),
        ({"type": "vlm"}, {"vision"}),
        (
            {"providers": [{"supports_tools": True}, {"supports_structured_output": True}]},
            {"tools", "json"},
        ),
    ],
)
def test_capabilities(fields: dict[str, object], more: set[str]) -> None:
    found = profile(**fields)
    assert set(found.capabilities) == {"text", "stream"} | more
    assert found.known


def test_a_model_of_which_nothing_is_told_is_unknown() -> None:
    assert profile(owned_by="me", created=5) == ModelProfile()


def test_the_longest_answer() -> None:
    assert profile(max_output_tokens=5).output_tokens == 5
    assert profile(top_provider={"max_completion_tokens": 6}).output_tokens == 6


def test_a_model_of_embeddings() -> None:
    assert profile(id="nomic-embed-text").capabilities == ("embeddings",)
    assert profile(type="embeddings", context_length=3).context_tokens == 3


def test_a_server_without_models() -> None:
    assert parse_models(b'{"data": null}') == []
    assert parse_models(b'{"data": []}') == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": "x"}',
        b'{"data": [1]}',
        b'{"data": [{"id": 1}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_list(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the callers say what they expected
        parse_models(body)
