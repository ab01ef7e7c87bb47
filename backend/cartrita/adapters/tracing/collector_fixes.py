"""What helps where a collector does not take what it is sent, by what came of it."""

from collections.abc import Mapping
from typing import Final

from cartrita.adapters.tracing.complaints import Outcome

_HEADERS: Final = "The collector wants another key in OTEL_EXPORTER_OTLP_HEADERS."
FIXES: Final[Mapping[Outcome, str]] = {
    0: "Look whether the collector at OTEL_EXPORTER_OTLP_ENDPOINT can be reached, and is well.",
    401: _HEADERS,
    403: _HEADERS,
    404: "The collector takes no traces at OTEL_EXPORTER_OTLP_ENDPOINT, to which /v1/traces is "
    "added.",
    "malformed": "What answers at OTEL_EXPORTER_OTLP_ENDPOINT is no collector: look whether a "
    "portal, a page to sign in or another server is there.",
    "refused": "The log of the collector at OTEL_EXPORTER_OTLP_ENDPOINT says why it refuses some "
    "spans.",
}
