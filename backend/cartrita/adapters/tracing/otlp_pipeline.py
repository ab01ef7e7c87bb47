"""The pipeline to a collector of OpenTelemetry, in the words of its conventions."""

from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from cartrita.adapters.tracing.collector_fixes import FIXES
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.gen_ai_attributes import gen_ai_attributes
from cartrita.adapters.tracing.pipeline import Pipeline, silence
from cartrita.adapters.tracing.policies import Collector, TracingPolicy
from cartrita.adapters.tracing.receivers import Receiver
from cartrita.adapters.tracing.spans import Spans
from cartrita.adapters.tracing.stories import Stories


def open_pipeline(policy: TracingPolicy, contents: Contents, collector: Collector) -> Pipeline:
    """Begin to send traces to a collector."""
    silence()
    receiver = Receiver(
        "collector",
        collector.url,
        collector.fields,
        FIXES,
        timeout_s=policy.send_timeout_s,
    )
    scope = InstrumentationScope("cartrita", policy.release)
    spans = Spans(gen_ai_attributes, policy.resource, scope)
    return Pipeline(Stories(contents).told, spans.span, receiver, policy)
