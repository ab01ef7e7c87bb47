"""What helps where a collector does not take what it is sent, by the status of its answer."""

from typing import Final

_HEADERS: Final = "The collector wants another key in OTEL_EXPORTER_OTLP_HEADERS."
FIXES: Final = {
    0: "Look whether the collector at OTEL_EXPORTER_OTLP_ENDPOINT can be reached, and is well.",
    401: _HEADERS,
    403: _HEADERS,
    404: "The collector takes no traces at OTEL_EXPORTER_OTLP_ENDPOINT, to which /v1/traces is "
    "added.",
}
