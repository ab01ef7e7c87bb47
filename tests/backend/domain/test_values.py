"""Small values: usage, messages, models, errors."""

import pytest
from hypothesis import given
from tests.backend.domain.samples import USAGES
from tests.backend.examples import examples

from cartrita.domain import errors
from cartrita.domain.errors import (
    CartritaError,
    InvalidInput,
    NotFound,
    UpstreamError,
    UpstreamOverloaded,
)
from cartrita.domain.messages import Message, Reasoning, Role, Text
from cartrita.domain.models import ModelInfo
from cartrita.domain.usage import Usage


@examples
@given(USAGES, USAGES)
def test_usage_adds_up(one: Usage, other: Usage) -> None:
    both = one + other
    assert both.total_tokens == one.total_tokens + other.total_tokens
    assert both.estimated == (one.estimated or other.estimated)
    assert both.cache_write_tokens == one.cache_write_tokens + other.cache_write_tokens
    assert one + Usage() == one


def test_the_words_of_a_message_are_its_text_parts() -> None:
    message = Message(Role.ASSISTANT, (Reasoning("hm"), Text("a"), Text("b")))
    assert message.text == "ab"


def test_a_model_is_addressed_by_provider_and_name() -> None:
    assert ModelInfo("openai", "gpt/x").id == "openai/gpt/x"


def test_an_error_has_a_stable_code_and_keeps_what_it_was_given() -> None:
    plain = CartritaError("No.")
    assert (plain.message, plain.code, plain.details, plain.retry_after) == (
        "No.",
        "internal",
        {},
        None,
    )
    told = CartritaError("No.", code="nope", details={"a": 1}, retry_after=2)
    assert (told.code, told.details, told.retry_after) == ("nope", {"a": 1}, 2)


def test_one_field_that_is_wrong() -> None:
    wrong = InvalidInput.of("title", "it is too long")
    assert wrong.fields == {"title": ["it is too long"]}
    assert "title" in wrong.message


def test_what_is_not_found_is_named_in_the_sentence_and_in_the_code() -> None:
    missing = NotFound.of("run")
    assert (missing.message, missing.code) == ("There is no such run.", "run_not_found")


@pytest.mark.parametrize("status", [None, 503])
def test_an_upstream_failure_names_its_provider(status: int | None) -> None:
    failed = UpstreamError("No.", provider="p", status=status, details={"why": "x"})
    expected: dict[str, object] = {"why": "x", "provider": "p"}
    if status is not None:
        expected["upstream_status"] = status
    assert failed.details == expected
    assert (failed.provider, failed.status) == ("p", status)


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    named = [value for value in vars(errors).values() if isinstance(value, type)]
    tree = errors.__doc__ or ""
    for kind in named:
        if issubclass(kind, CartritaError):
            assert kind.__name__ in tree, f"{kind.__name__} is not drawn"


def test_a_provider_may_say_that_its_error_is_not_retryable() -> None:
    assert UpstreamOverloaded("No.", provider="p").retryable
    assert not UpstreamOverloaded("No.", provider="p", retryable=False).retryable
