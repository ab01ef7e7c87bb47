"""Observations as spans of OpenTelemetry.

Their ids and times are known, so they are made as values: a tracer would make up both, and would
read the environment for its limits, its sampler and whether it is off.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from cartrita.adapters.tracing.observations import Observation

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)

Attributed: TypeAlias = Callable[[Observation], Mapping[str, AttributeValue]]
"""The attributes of an observation, in the words of whoever receives it."""


class Spans:
    """Makes the spans of one receiver: of this `resource`, by this `scope`."""

    def __init__(
        self, attributed: Attributed, resource: Mapping[str, str], scope: InstrumentationScope
    ) -> None:
        self._attributed = attributed
        self._resource = Resource(resource)
        self._scope = scope

    def span(self, observation: Observation) -> ReadableSpan:
        """The span of an observation."""
        trace_id = observation.subject.trace_id.int
        parent = observation.parent
        failed = Status(StatusCode.ERROR, observation.status)
        return ReadableSpan(
            name=observation.name,
            context=SpanContext(
                trace_id, observation.span_id, is_remote=False, trace_flags=_SAMPLED
            ),
            parent=None
            if parent is None
            else SpanContext(trace_id, parent, is_remote=False, trace_flags=_SAMPLED),
            resource=self._resource,
            attributes=self._attributed(observation),
            kind=SpanKind.INTERNAL if observation.use is None else SpanKind.CLIENT,
            status=failed if observation.failed else Status(StatusCode.UNSET),
            links=() if observation.caller_trace is None else (_link(observation.caller_trace),),
            start_time=observation.start,
            end_time=observation.end,
            instrumentation_scope=self._scope,
        )


def _link(traceparent: str) -> Link:
    """A reference to a span of somebody else's trace."""
    _, trace_id, parent, flags = traceparent.split("-")
    flag = TraceFlags(int(flags, 16) & TraceFlags.SAMPLED)
    return Link(SpanContext(int(trace_id, 16), int(parent, 16), is_remote=True, trace_flags=flag))
