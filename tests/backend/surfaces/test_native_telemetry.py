"""FastAPI tells OpenTelemetry of no request: callers would choose the ids of traces."""

import subprocess
import sys

PROGRAM = """
import asyncio

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cartrita.app import create_app
from cartrita.surfaces.services import SurfaceConfig

told = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(told))
trace.set_tracer_provider(provider)
statuses = []
parent = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"

async def receive():
    return {"type": "http.request", "body": b""}

async def send(message):
    statuses.append(message.get("status"))

scope = {
    "type": "http", "method": "GET", "path": "/nowhere", "raw_path": b"/nowhere",
    "query_string": b"", "headers": [(b"traceparent", parent)],
    "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http",
    "http_version": "1.1", "root_path": "", "state": {},
}
asyncio.run(create_app(SurfaceConfig())(scope, receive, send))
print(statuses[0], len(told.get_finished_spans()))
"""


def test_a_request_is_no_span() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.splitlines()[-1:] == ["404 0"], done.stderr[-2000:]
