"""What is heard and spoken is told in words and whole numbers, with what it cost."""

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.adapters.tracing.samples import AT, WALL
from tests.backend.adapters.tracing.test_stories import told

from cartrita.adapters.tracing.gen_ai_attributes import gen_ai_attributes
from cartrita.adapters.tracing.langfuse_attributes import langfuse_attributes
from cartrita.adapters.tracing.observations import Kind, Level, Observation
from cartrita.adapters.tracing.sizes import kept_by
from cartrita.domain.json import JsonValue
from cartrita.domain.ledger import CallOutcome, ServiceUse
from cartrita.domain.traces import CallAnswered, CalledFor, ServiceCalled
from cartrita.kit.ids import uuid7

CALLED_FOR = CalledFor(
    trace_id=uuid7(),
    at=AT,
    wall=WALL,
    owner_id="ann",
    key_id="key_1",
    surface="native",
    operation="transcription",
)
ANSWERED = CallAnswered(
    called_for=CALLED_FOR,
    name="deepgram/nova-3",
    provider="deepgram",
    failovers=(),
    error=None,
    left=False,
    at=AT + 5,
)


def heard(**changes: Any) -> ServiceCalled:
    given: dict[str, Any] = {
        "called_for": CALLED_FOR,
        "provider": "deepgram",
        "operation": "transcription",
        "model": "nova-3",
        "use": ServiceUse(2.3456, 0),
        "cost": Decimal("0.00016810"),
        "outcome": CallOutcome.COMPLETED,
        "error": None,
        "at": AT + 1,
        "seconds": 2.0,
        "sent": None,
        "got": "Moss grows.",
        **changes,
    }
    return ServiceCalled(**given)


def test_a_transcription_is_a_trace_of_its_own() -> None:
    generation, root = told([heard(), ANSWERED])
    assert (root.kind, root.name, root.parent) == (Kind.SPAN, "transcription", None)
    assert (root.input, root.output) == (None, "Moss grows.")
    assert (root.subject.user, root.subject.tags) == ("ann", ("native",))
    assert (generation.kind, generation.name) == (Kind.GENERATION, "nova-3")
    assert generation.parent == root.span_id
    assert generation.end - generation.start == 2_000_000_000
    assert (generation.input, generation.output) == (None, "Moss grows.")
    attributes = langfuse_attributes(generation, None, None)
    assert attributes["langfuse.observation.model.name"] == "nova-3"
    assert json.loads(str(attributes["langfuse.observation.usage_details"])) == {
        "input": 0,
        "output": 0,
        "audio_milliseconds": 2346,
        "total": 0,
    }
    assert json.loads(str(attributes["langfuse.observation.cost_details"])) == {
        "transcription": 0.0001681,
        "total": 0.0001681,
    }
    assert attributes["langfuse.observation.metadata.audio_seconds"] == "2.3456"
    conventions = gen_ai_attributes(generation)
    assert conventions["gen_ai.operation.name"] == "transcription"
    assert conventions["gen_ai.provider.name"] == "deepgram"
    assert conventions["cartrita.audio_seconds"] == 2.3456
    assert conventions["cartrita.cost_usd"] == 0.0001681


def test_a_speech_tells_its_text_and_characters() -> None:
    spoken = heard(use=ServiceUse(0.0, 6), sent="Hello.", got=None, model=None, cost=None)
    generation, root = told([spoken, ANSWERED])
    assert (root.input, root.output) == ("Hello.", None)
    assert generation.name == "deepgram"
    attributes = langfuse_attributes(generation, None, None)
    assert "langfuse.observation.cost_details" not in attributes
    usage = json.loads(str(attributes["langfuse.observation.usage_details"]))
    assert usage["characters"] == 6


def test_one_that_answers_after_a_failure_names_it() -> None:
    failed = heard(outcome=CallOutcome.FAILED, error="upstream_overloaded", got=None)
    first, second, left, _ = told([failed, heard(), heard(outcome=CallOutcome.CANCELLED), ANSWERED])
    assert (first.level, first.status) == (Level.ERROR, "upstream_overloaded")
    assert second.status == "It answered after deepgram/nova-3: upstream_overloaded"
    assert (left.level, left.status) == (Level.WARNING, "It was left before its end.")


LIVE = replace(CALLED_FOR, operation="listening")


def stretches(*words: str | None, policy: str = "full", most: int = 100_000) -> Observation:
    """The root of a live recording whose stretches have these words."""
    facts = [heard(called_for=LIVE, sent=one, got=one) for one in words]
    *_, root = told([*facts, replace(ANSWERED, called_for=LIVE)], policy, most)
    return root


@pytest.mark.parametrize(
    ("words", "policy", "joined"),
    [
        (("Moss grows.", None), "full", "Moss grows."),
        ((None, "Moss", None, "grows.", None), "full", "Moss grows."),
        ((None, None), "full", None),
        (("Moss", None, "grows."), "redacted", {"characters": 11}),
        (("Moss", "grows."), "none", None),
    ],
)
def test_all_stretches_of_a_recording_are_told_as_one(
    words: tuple[str | None, ...], policy: str, joined: JsonValue
) -> None:
    root = stretches(*words, policy=policy)
    assert root.input == root.output == joined


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (("abcd", "efghi"), "abcd efghi"),
        (("abcd", "efghij", "k"), "abcd efghi..."),
        (("abcdefghij", "k"), "abcdefghij"),
        (("abcdefghijk", "l"), "abcdefghij... [11 characters]"),
    ],
)
def test_no_more_of_them_is_told_than_of_one_text(words: tuple[str, ...], joined: str) -> None:
    assert stretches(*words, most=10).output == joined


def test_an_attempt_in_the_place_of_one_that_failed_is_told_once() -> None:
    failed = heard(outcome=CallOutcome.FAILED, sent="Hello.", got=None)
    *_, root = told([failed, heard(sent="Hello.", got=None), ANSWERED])
    assert (root.input, root.output) == ("Hello.", None)


@pytest.mark.parametrize(
    ("policy", "words"),
    [("full", "My key is sk-***"), ("redacted", {"characters": 29}), ("none", None)],
)
def test_only_what_the_policy_allows_is_told(policy: str, words: JsonValue) -> None:
    secret = "My key is sk-abcdefghijklmnop"
    generation, root = told([heard(sent=secret, got=secret), ANSWERED], policy)
    for one in (generation, root):
        assert one.input == one.output == words


def test_what_waits_takes_the_room_of_its_words() -> None:
    assert kept_by(heard(sent="a" * 500, got="b" * 200)) - kept_by(heard(got=None)) == 700
