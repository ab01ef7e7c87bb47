"""The pipeline to a collector of OpenTelemetry, in the words of its conventions."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.gen_ai_attributes import gen_ai_attributes
from cartrita.adapters.tracing.pipeline import Pipeline, silence
from cartrita.adapters.tracing.policies import Collector, TracingPolicy
from cartrita.adapters.tracing.receivers import Receiver
from cartrita.adapters.tracing.spans import Spans
from cartrita.adapters.tracing.stories import Stories

_HEADERS: Final = "The collector wants another key in OTEL_EXPORTER_OTLP_HEADERS."
_FIXES: Final = {
    0: "Look whether the collector at OTEL_EXPORTER_OTLP_ENDPOINT can be reached, and is well.",
    401: _HEADERS,
    403: _HEADERS,
    404: "The collector takes no traces at OTEL_EXPORTER_OTLP_ENDPOINT, to which /v1/traces is "
    "added.",
}


def open_pipeline(policy: TracingPolicy, contents: Contents, collector: Collector) -> Pipeline:
    """Begin to send traces to a collector."""
    silence()
    receiver = Receiver(
        "collector",
        f"{collector.address}/v1/traces",
        dict(_headers(collector)),
        _FIXES,
        timeout_s=policy.send_timeout_s,
    )
    scope = InstrumentationScope("cartrita", policy.release)
    spans = Spans(gen_ai_attributes, policy.resource, scope)
    return Pipeline(Stories(contents).told, spans.span, receiver, policy)


def _headers(collector: Collector) -> Iterator[tuple[str, str]]:
    """The headers in `name=value,name=value`, with percent signs as in a URL."""
    text = "" if collector.headers is None else collector.headers.reveal()
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            yield unquote(name.strip()).lower(), unquote(value.strip())
