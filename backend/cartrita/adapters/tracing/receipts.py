"""What a receiver says of spans that it has taken: see OTLP/HTTP Response in the specification.

Protobuf is what it should be. JSON is what Langfuse answers to protobuf, for years, and many answer
nothing. A page from elsewhere is no receipt, whatever its status.
"""

from collections.abc import Mapping
from typing import cast

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from cartrita.adapters.tracing.pages import is_page
from cartrita.kit import json_answers


def rejected(headers: Mapping[str, str], body: bytes) -> int:
    """How many spans were not taken. Raises ValueError for what is no receipt."""
    if headers.get("content-encoding", "identity") != "identity":
        raise ValueError("It is compressed, though nobody asked for that.")
    if is_page(headers):
        raise ValueError("It is a web page.")
    if not body:
        return 0
    return _of_json(body) if body.lstrip()[:1] == b"{" else _of_protobuf(body)


def _of_protobuf(body: bytes) -> int:
    try:
        return ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans
    except DecodeError:
        raise ValueError("It is no answer to spans.") from None


def _of_json(body: bytes) -> int:
    told = cast("dict[str, object]", json_answers.read(body))
    partial = told.get("partialSuccess")
    if not isinstance(partial, dict):
        return 0
    # Numbers of 64 bits are strings in the JSON of protobuf.
    return int(str(cast("dict[str, object]", partial).get("rejectedSpans") or 0))
