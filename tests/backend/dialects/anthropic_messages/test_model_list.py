"""Pages of Anthropic's list of models."""

import json

import pytest

from cartrita.dialects.anthropic_messages.model_list import parse_models


def test_what_is_known_of_claude_by_its_name() -> None:
    page = parse_models(json.dumps({"data": [{"id": "claude-sonnet-4-5"}]}).encode())
    ((name, profile),) = page.models
    assert (name, page.next_after) == ("claude-sonnet-4-5", None)
    assert {"tools", "vision", "json", "reasoning"} <= set(profile.capabilities)
    assert (profile.context_tokens, profile.output_tokens) == (200_000, 64_000)
    assert (profile.known, profile.continues) == (True, "prefill")


def test_what_the_list_tells_goes_before() -> None:
    model = {"id": "claude-opus-4-6", "max_input_tokens": 1_000_000, "max_tokens": 9}
    body = {"data": [model], "has_more": True, "last_id": "x"}
    page = parse_models(json.dumps(body).encode())
    ((_, profile),) = page.models
    assert (profile.context_tokens, profile.output_tokens) == (1_000_000, 9)
    assert profile.continues == "instruction"
    assert page.next_after == "x"


def test_models_of_others_are_unknown() -> None:
    ((_, profile),) = parse_models(b'{"data": [{"id": "gpt-x"}]}').models
    assert not profile.known
    assert profile.context_tokens is None
    assert parse_models(b'{"data": null}').models == ()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": [{}]}', b"[" * 100_000])
def test_what_is_no_list(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the callers say what they expected
        parse_models(body)
