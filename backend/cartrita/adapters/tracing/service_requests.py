"""Requests of services that hear and speak as observations; of what was said the words only."""

import os

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.model_calls import Teller, level_of
from cartrita.adapters.tracing.observations import Kind, ModelUse, Observation, without_nones
from cartrita.domain.traces import ServiceCalled
from cartrita.domain.usage import NOTHING_USED


def service_called(fact: ServiceCalled, story: Teller, contents: Contents) -> Observation:
    """One request, or a stretch of one."""
    anchor, use = story.anchor, fact.use
    sent, got = contents.text(fact.sent), contents.text(fact.got)
    story.heard(fact.called_for, sent, got)
    level, status = level_of(fact, fact.model, story)
    start = anchor.time(fact.at)
    costs = None if fact.cost is None else {fact.operation: fact.cost}
    return Observation(
        subject=story.subject,
        span_id=int.from_bytes(os.urandom(8)) or 1,
        parent=story.parent(fact.called_for),
        kind=Kind.GENERATION,
        name=fact.model or fact.provider,
        start=start,
        end=max(start, anchor.time(fact.at + fact.seconds)),
        level=level,
        status=status,
        input=sent,
        output=got,
        use=ModelUse(
            provider=fact.provider,
            model=fact.model or fact.operation,
            usage=NOTHING_USED,
            costs=costs,
            service=use,
            operation=fact.operation,
        ),
        metadata=without_nones(
            {
                "outcome": fact.outcome.value,
                "operation": fact.operation,
                "audio_seconds": use.audio_seconds or None,
                "characters": use.characters or None,
            }
        ),
    )
