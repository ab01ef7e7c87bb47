"""Whatever answers where spans are sent costs some memory and some time, and is complained of."""

import gzip
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import cycle

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext
from structlog.testing import capture_logs
from tests.harness import hostile_server as tricks
from tests.harness.hostile_server import HostileServer, Trick, answer, hostile_server

from cartrita.adapters.tracing.complaints import Outcome
from cartrita.adapters.tracing.receivers import Receiver

TIMEOUT_S = 0.5
WATCHDOG_S = 60.0
BOMB = gzip.compress(bytes(30 << 20))
SPANS = [
    ReadableSpan(
        name="one", context=SpanContext(1, number, is_remote=False), start_time=1, end_time=2
    )
    for number in (1, 2)
]
FIXES: dict[Outcome, str] = {
    0: "Look.",
    401: "Other keys.",
    "malformed": "Another address.",
    "refused": "Its log.",
}


def send(server: HostileServer, times: int = 1) -> list[int]:
    """Send two spans so often, in a thread that a test does not wait for without end."""
    taken: list[int] = []

    def work() -> None:
        url = f"{server.base_url}/v1/traces"
        with Receiver("collector", url, {}, FIXES, timeout_s=TIMEOUT_S) as receiver:
            taken.extend(receiver.send(SPANS) for _ in range(times))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(WATCHDOG_S)
    assert not thread.is_alive(), "it hangs"
    return taken


def partial(spans: int, why: str = "") -> bytes:
    """The answer of a receiver that has not taken so many."""
    told = ExportTracePartialSuccess(rejected_spans=spans, error_message=why)
    return ExportTraceServiceResponse(partial_success=told).SerializeToString()


def bomb() -> Iterator[bytes]:
    yield answer(BOMB, "content-encoding: gzip", "content-type: application/x-protobuf")


def garbage() -> Iterator[bytes]:
    yield b"\x00\x01garbage\r\n\r\n"


@pytest.mark.parametrize(
    "trick",
    [
        tricks.endless_body,
        tricks.endless_head,
        tricks.dripping_body,
        tricks.dripping_head,
        tricks.endless_continue,
        bomb,
        garbage,
    ],
)
def test_no_answer_holds_up_the_thread_or_fills_the_memory(trick: Trick) -> None:
    tracemalloc.start()
    try:
        with hostile_server(trick) as server, capture_logs() as logs:
            assert send(server) == [0]
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20
    assert server.sent < 16 << 20, "what the buffers of both sockets hold, at most"
    assert [one["event"] for one in logs] == ["traces_not_taken"]
    assert logs[0]["outcome"] in ("timeout", "malformed")
    assert logs[0]["fix"]


def closing() -> Iterator[bytes]:
    """It answers without saying that it hangs up, and does."""
    yield answer(b"")
    raise ConnectionError


def test_a_connection_that_was_closed_meanwhile_loses_nothing() -> None:
    with hostile_server(closing) as server, capture_logs() as logs:
        assert send(server, times=3) == [2, 2, 2]
        assert server.answers == 3
    assert not logs


def told(answered: bytes) -> tuple[list[int], list[tuple[str, str, int]]]:
    """What was taken of two spans, twice, and what was complained of."""
    with hostile_server(lambda: iter([answered])) as server, capture_logs() as logs:
        taken = send(server, times=2)
    return taken, [(one["event"], one["outcome"], one["spans"]) for one in logs]


PROTOBUF = "content-type: application/x-protobuf"
JSON = "content-type: application/json; charset=utf-8"


@pytest.mark.parametrize(
    "answered",
    [
        answer(b"", PROTOBUF),
        answer(b"", JSON),
        answer(b""),
        answer(b"", status=202),
        b"HTTP/1.1 204 X\r\n\r\n",
        answer(b"{}", JSON),
        answer(b'{"partialSuccess": {}}', JSON),
        answer(b'{"partialSuccess": null}', JSON),
        answer(partial(0, "Mind this."), PROTOBUF),
    ],
    ids=repr,
)
def test_receipts_of_langfuse_and_of_collectors(answered: bytes) -> None:
    assert told(answered) == ([2, 2], [])


@pytest.mark.parametrize(
    "answered",
    [
        answer(b"<html>Sign in</html>", "content-type: text/html; charset=utf-8"),
        answer(b"", "content-type: text/html"),
        answer(b"<html>Sign in</html>"),
        answer(b"ok", "content-type: text/plain"),
        answer(b"[]", JSON),
        answer(b"null", JSON),
        answer(b"{not JSON", JSON),
        answer(b'{"partialSuccess": {"rejectedSpans": "many"}}', JSON),
        answer(b"\xff\xfe{", "content-type: application/json; charset=bogus"),
        answer(b"not gzip", "content-encoding: gzip"),
    ],
    ids=repr,
)
def test_whatever_else_answers_takes_no_spans(answered: bytes) -> None:
    assert told(answered) == ([0, 0], [("traces_not_taken", "malformed", 2)])


@pytest.mark.parametrize(
    ("answered", "taken"),
    [
        (answer(partial(1), PROTOBUF), 1),
        (answer(partial(2), PROTOBUF), 0),
        (answer(partial(1 << 40), PROTOBUF), 0),
        (answer(b'{"partialSuccess": {"rejectedSpans": "1"}}', JSON), 1),
        (answer(b'{"partialSuccess": {"rejectedSpans": 1}}', JSON), 1),
    ],
    ids=repr,
)
def test_spans_that_are_refused_are_lost_and_told_once(answered: bytes, taken: int) -> None:
    assert told(answered) == ([taken] * 2, [("traces_not_taken", "refused", 2 - taken)])


def test_a_receiver_that_comes_and_goes_is_told_of_seldom() -> None:
    answers = cycle([answer(b"", status=500), answer(b"")])
    with hostile_server(lambda: iter([next(answers)])) as server, capture_logs() as logs:
        assert send(server, times=20) == [0, 2] * 10
    assert [one["event"] for one in logs] == ["traces_not_taken", "traces_taken_again"]
