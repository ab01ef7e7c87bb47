"""A stand-in for Langfuse, and for a collector: it takes gzip OTLP over a socket, and is strict.

It proves what was sent, not that Langfuse ingests it. It refuses what Langfuse refuses: other keys,
another type of content, what cannot be decoded, and an SDK that does not say its version.
"""

import base64
import gzip
import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.harness.langfuse_prompts import PROMPTS, Prompts
from tests.harness.langfuse_scores import SCORES, Scores

LANGFUSE = "/api/public/otel/v1/traces"
COLLECTOR = "/v1/traces"
Mode = Literal["ok", "slow", "hang", "trickle", "cut", 200, 301, 400, 413, 429, 500, 503]


@dataclass(frozen=True)
class Span:
    """One span as it was received; times are in ns since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    attributes: dict[str, Any]
    failed: bool
    resource: dict[str, Any]
    scope: str
    path: str
    links: list[str]
    children: list["Span"] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        """The attribute `langfuse.observation.<name>`."""
        return self.attributes.get(f"langfuse.observation.{name}")

    def json(self, name: str) -> Any:
        value = self[name]
        return None if value is None else json.loads(value)

    @property
    def kind(self) -> str:
        return self["type"] or self.attributes.get("gen_ai.operation.name", "")

    @property
    def line(self) -> str:
        level = self["level"]
        return f"{self.kind} {self.name}" + (f" [{level}]" if level else "")

    def walk(self) -> Iterator["Span"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def story(self, depth: int = 0) -> list[str]:
        """It and what is within it, in the order of time, indented."""
        lines = ["  " * depth + self.line]
        for child in sorted(self.children, key=lambda one: (one.start, one.end)):
            lines += child.story(depth + 1)
        return lines


class LangfuseSink:
    """The running stand-in: what it has received, and how it answers."""

    def __init__(self, port: int, public_key: str, secret_key: str) -> None:
        self.port = port
        self.public_key = public_key
        self.secret_key = secret_key
        self.mode: Mode = "ok"
        self.requests = 0
        self.refused: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self._spans: list[Span] = []
        self.free = threading.Event()
        self.scores = Scores()
        self.prompts = Prompts()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a server that sends its traces here."""
        return {
            "LANGFUSE_PUBLIC_KEY": self.public_key,
            "LANGFUSE_SECRET_KEY": self.secret_key,
            "LANGFUSE_BASE_URL": self.base_url,
            "CARTRITA_TRACING_FLUSH_INTERVAL_S": "0.05",
            "CARTRITA_TRACING_SCORES_INTERVAL_S": "0.05",
            "CARTRITA_TRACING_SCORES_SETTLE_S": "0",
            "CARTRITA_TRACING_PROMPTS_REFRESH_S": "0.1",
        }

    @property
    def spans(self) -> list[Span]:
        return list(self._spans)

    def of(self, trace_id: str) -> list[Span]:
        """All spans of a trace."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def root(self, trace_id: str) -> Span | None:
        """The first span of a trace with all within it; None while it has not come."""
        found = [one for one in self.of(trace_id) if not one.parent_id]
        assert len(found) <= 1, [one.line for one in found]
        if not found:
            return None
        by_id = {one.span_id: one for one in self.of(trace_id)}
        assert len(by_id) == len(self.of(trace_id)), "each span comes once"
        for one in by_id.values():
            one.children.clear()
        for one in by_id.values():
            if one.parent_id:
                by_id[one.parent_id].children.append(one)
        return found[0]

    def roots(self) -> list[Span]:
        return [one for one in self.spans if not one.parent_id]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """The status of an answer to a request."""
        if path not in (LANGFUSE, COLLECTOR):
            return self._refuse(404, f"there is nothing at {path}")
        if headers.get("content-type") != "application/x-protobuf":
            return self._refuse(415, f"content-type {headers.get('content-type')}")
        if path == LANGFUSE and (missing := self._missing(headers)):
            return missing
        if headers.get("content-encoding") != "gzip":
            return self._refuse(400, "it is not compressed by gzip")
        try:
            octets = gzip.decompress(body)
            request = ExportTraceServiceRequest.FromString(octets)
        except (OSError, DecodeError) as error:
            return self._refuse(400, f"{type(error).__name__}: {error}")
        self.bodies.append(octets)
        self.headers.append(headers)
        self._spans.extend(_spans(request, path))
        return 200

    def score(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        """What is answered to a request for scores."""
        if headers.get("authorization") != f"Basic {self._keys}":
            return self._refuse(401, "the keys are wrong"), {"message": "Invalid credentials"}
        return self.scores.create(body) if method == "POST" else self.scores.delete(path)

    def prompt(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """What is answered to a request for a prompt."""
        if headers.get("authorization") != f"Basic {self._keys}":
            return self._refuse(401, "the keys are wrong"), b'{"message": "Invalid credentials"}'
        return self.prompts.get(path)

    @property
    def _keys(self) -> str:
        return base64.b64encode(f"{self.public_key}:{self.secret_key}".encode()).decode()

    def _missing(self, headers: dict[str, str]) -> int | None:
        if headers.get("authorization") != f"Basic {self._keys}":
            return self._refuse(401, "the keys are wrong")
        if headers.get("x-langfuse-ingestion-version") != "4":
            return self._refuse(400, "no x-langfuse-ingestion-version")
        if headers.get("x-langfuse-public-key") != self.public_key:
            return self._refuse(400, "no x-langfuse-public-key")
        if headers.get("x-langfuse-sdk-name") != "python" or not headers.get(
            "x-langfuse-sdk-version", ""
        ).startswith("5."):
            return self._refuse(400, "no SDK of version 5")
        return None

    def _refuse(self, status: int, why: str) -> int:
        self.refused.append(why)
        return status


@contextmanager
def langfuse_sink(
    public_key: str = "pk-lf-of-the-tests", secret_key: str = "sk-lf-of-the-tests"
) -> Generator[LangfuseSink]:
    """Run the stand-in for the length of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.sink = sink = LangfuseSink(server.server_port, public_key, secret_key)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield sink
    finally:
        sink.free.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    sink: LangfuseSink


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        sink = cast("_Server", self.server).sink
        sink.requests += 1
        sink.scores.asked += self.path.startswith(SCORES)
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        mode = sink.mode
        if mode == "hang":
            sink.free.wait()
            self.close_connection = True
            return
        if mode == "trickle":
            self._trickle()
            return
        if mode == "cut":
            self.close_connection = True
            return
        if mode == "slow":
            time.sleep(0.5)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if isinstance(mode, int):
            self._answer(mode, b'{"message": "no"}')
        elif self.path.startswith(PROMPTS):
            self._answer(*sink.prompt(self.path, headers))
        elif self.path.startswith(SCORES):
            status, told = sink.score(self.command, self.path, headers, body)
            self._answer(status, json.dumps(told).encode())
        else:
            self._answer(sink.take(self.path, headers, body))

    def _trickle(self) -> None:
        """Answer without an end, a header at a time."""
        self.close_connection = True
        with suppress(OSError):
            self.send_response(200)
            while not cast("_Server", self.server).sink.free.wait(0.05):
                self.send_header("x-more", "x")
                self.flush_headers()

    def _answer(self, status: int, told: bytes | None = None) -> None:
        if told is None:
            told = b"" if status == 200 else b'{"message": "no"}'
        self.send_response(status)
        if status == 301:
            self.send_header("location", "http://127.0.0.1:9/")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *args: object, **_: object) -> None:
        pass


def _spans(request: Any, path: str) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                assert span.end_time_unix_nano >= span.start_time_unix_nano > 0
                yield Span(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name,
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    attributes=_attributes(span.attributes),
                    failed=span.status.code == 2,
                    resource=resource,
                    scope=scoped.scope.name,
                    path=path,
                    links=[f"{link.trace_id.hex()}-{link.span_id.hex()}" for link in span.links],
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)
