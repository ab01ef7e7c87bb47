"""What the Python client costs: its import, its size, and the events that it reads in a second."""

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from tests.benchmarks.figures import report, table
from tests.benchmarks.imports import import_ms
from tests.benchmarks.options import Options

from cartrita_client.events import ChatEvent
from cartrita_client.generated import table as operations
from cartrita_client.operations import Call
from cartrita_client.retries import RetryPolicy
from cartrita_client.streams import StreamCourse

_ROOT = Path(__file__).parents[2]
_PIECE = 16 * 1024
_TOKENS = 20_000
_RUN = "run_01a227d0129f7138a0fafff37bbcbb8e"
_READY = "from cartrita_client import CartritaApiClient; CartritaApiClient()"
_USED = f"{_READY}._blocking; from cartrita_client import models"


def measure(options: Options) -> None:
    """Medians; the machine's other work is in them."""
    rows = {
        "import and construction": import_ms(_READY),
        "the same, with what the first request loads": import_ms(_USED),
    }
    report(table("milliseconds, in new processes (goal 150)", rows))
    rounds = [_events_a_second() for _ in range(options.rounds)]
    rates = {"events/s": sorted(rounds)[len(rounds) // 2]}
    report(table("one core reads a stream (goal 10,000)", {"parse, type, position": rates}))
    report(table("wheel (goal 200)", {"cartrita-client": {"kB": _wheel_kb()}}))


def _events_a_second() -> float:
    octets = _stream()
    course = StreamCourse(Call(operations.STREAM_CHAT, "/api/chat/stream"), RetryPolicy())
    course.next_call()
    seen: list[ChatEvent] = []
    began = time.process_time()
    for at in range(0, len(octets), _PIECE):
        seen.extend(course.take(octets[at : at + _PIECE]))
    spent = time.process_time() - began
    assert len(seen) == _TOKENS
    assert course.text.length == 6 * _TOKENS
    return _TOKENS / spent


def _stream() -> bytes:
    frames: list[bytes] = []
    for number in range(_TOKENS):
        data = {"content": "token ", "delta": "token ", "position": 6 * number}
        told = json.dumps({"event": "token", "data": data}, separators=(",", ":"))
        frames.append(f"id: {_RUN}.{number + 1}\ndata: {told}\n\n".encode())
    return b"".join(frames)


def _wheel_kb() -> float:
    with tempfile.TemporaryDirectory() as folder:
        build = ["uv", "build", "-q", "--wheel", "--out-dir", folder, str(_ROOT / "client")]
        subprocess.run([Path(sys.executable).parent / build[0], *build[1:]], check=True)
        wheel = next(Path(folder).glob("*.whl"))
        assert zipfile.is_zipfile(wheel)
        return wheel.stat().st_size / 1000
