"""Calls of models as observations: what was sent and said, what it used, and what failed."""

import os
from typing import Protocol

import structlog

from cartrita.adapters.tracing.anchors import Anchor
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.observations import (
    Kind,
    Level,
    ModelUse,
    Observation,
    Subject,
    without_nones,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.requests import ModelRequest
from cartrita.domain.traces import CalledFor, ModelCalled, ServiceCalled

log = structlog.get_logger(__name__)


class Teller(Protocol):
    """The story that a call belongs to; `failed` are its attempts that were in vain."""

    anchor: Anchor
    subject: Subject
    failed: dict[CalledFor, str]

    def parent(self, called_for: CalledFor) -> int: ...

    def heard(self, called_for: CalledFor, question: JsonValue, answer: JsonValue) -> None: ...


def level_of(
    fact: ModelCalled | ServiceCalled, model: str | None, story: Teller
) -> tuple[Level, str | None]:
    """How an attempt went, which is told of the next one too where this one was in vain."""
    called_for = fact.called_for
    before = story.failed.pop(called_for, None)
    if fact.outcome in (CallOutcome.FAILED, CallOutcome.CUT):
        code = fact.error or fact.outcome.value
        name = fact.provider if model is None else f"{fact.provider}/{model}"
        story.failed[called_for] = f"{name}: {code}"
        return Level.ERROR, code
    if fact.outcome is CallOutcome.CANCELLED:
        return Level.WARNING, fact.error or "It was left before its end."
    if before is not None:
        return Level.WARNING, f"It answered after {before}"
    return Level.DEFAULT, None


class ModelCalls:
    """Tells calls of models."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def told(self, fact: ModelCalled, story: Teller) -> Observation:
        """One attempt at a call."""
        called_for, anchor = fact.called_for, story.anchor
        request, said = self._heard(fact)
        finish = fact.finish_reason
        if request is not None:
            story.heard(called_for, self._contents.question(request), said)
        level, status = level_of(fact, fact.model, story)
        start, first = anchor.time(fact.at), fact.first_token_seconds
        return Observation(
            subject=story.subject,
            span_id=int.from_bytes(os.urandom(8)) or 1,
            parent=story.parent(called_for),
            kind=Kind.EMBEDDING if fact.embeds else Kind.GENERATION,
            name=fact.model,
            start=start,
            end=max(start, anchor.time(fact.at + fact.seconds)),
            level=level,
            status=status,
            input=None if request is None else self._contents.request(request),
            output=said,
            use=ModelUse(
                provider=fact.provider,
                model=fact.model,
                usage=fact.usage,
                costs=fact.costs,
                parameters={} if request is None else self._parameters(request),
                first_output=None if first is None else anchor.time(fact.at + first),
                finish_reason=None if finish is None else finish.value,
                prompt=None if called_for.part is None else called_for.part.prompt,
            ),
            metadata={
                "agent": None if called_for.part is None else called_for.part.agent,
                "outcome": fact.outcome.value,
                "estimated": fact.usage.estimated,
                "cached": fact.cached or None,
            },
        )

    def _heard(self, fact: ModelCalled) -> tuple[ModelRequest | None, JsonValue]:
        """The request, and what was said; nothing of what cannot be read.

        Only its provider may understand it, and it may be too long to be kept.
        """
        if fact.contents is None or not self._contents.kept:
            return None, None
        request, said = None, None
        try:
            request = fact.contents.request()
            deltas = fact.contents.answer()
            said = self._contents.answer(deltas) if deltas else None
        except Exception as error:  # noqa: BLE001 - whatever it is, the call is told without
            log.debug("trace_without_contents", error=type(error).__name__)
        return request, said

    def _parameters(self, request: ModelRequest) -> JsonObject:
        """What was chosen beside the messages; what a caller wrote is told as contents are."""
        sampling, reasoning = request.sampling, request.reasoning
        kind = request.response_format.kind
        return without_nones(
            {
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": sampling.top_k,
                "max_tokens": sampling.max_tokens,
                "seed": sampling.seed,
                "presence_penalty": sampling.presence_penalty,
                "frequency_penalty": sampling.frequency_penalty,
                "stop": self._contents.words(sampling.stop),
                "reasoning_effort": self._contents.text(reasoning.effort),
                "reasoning_tokens": reasoning.budget_tokens,
                "response_format": None if kind == "text" else kind,
                "tools": self._contents.words([tool.name for tool in request.functions]),
            }
        )
