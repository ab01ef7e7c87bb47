"""The recording clients behave as browsers and as our own clients do, and write down what came."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.harness.clients import Client
from tests.harness.raw_http import HOST
from tests.harness.records import Plan, Record

RUN = "0192" * 8
PLAN = Plan(
    name="c", api_key="k", owner="local", message="hi", model="openai/fake", token="t-1"
)  # fmt: skip


def frame(seq: int, event: str = "token", retry: int | None = None) -> bytes:
    head = f"retry: {retry}\n" if retry is not None else ""
    data = f'{{"event":"{event}","data":{{"delta":"w{seq} "}}}}'
    return f"{head}id: run_{RUN}.{seq}\ndata: {data}\n\n".encode()


def stream(*pieces: bytes) -> bytes:
    """A whole answer that says where it ends."""
    return opened(*pieces) + b"0\r\n\r\n"


def opened(*pieces: bytes) -> bytes:
    """An answer that is cut off after these pieces."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def plain(status: int, body: bytes = b"{}", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def stub(*answers: bytes) -> AsyncGenerator[tuple[int, list[str]]]:
    """A server that gives one answer to each connection in turn, and keeps the requests' heads."""
    heads: list[str] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1], heads


async def live(plan: Plan, *answers: bytes) -> tuple[Record, list[str]]:
    async with stub(*answers) as (port, heads):
        record = await Client(plan, [port], random.Random(1), watchdog_s=30).run()
    return record, heads


def asked(head: str) -> str:
    return head.split("\r\n")[0]


async def test_reads_to_the_end() -> None:
    record, heads = await live(PLAN, stream(frame(1), frame(2), frame(3, "done")))
    assert record.outcome == "ended"
    assert record.run == RUN
    assert [frame.seq for frame in record.frames()] == [1, 2, 3]
    assert record.text() == "w1 w2 "
    assert record.connections[0].ended == "clean"
    assert "client_msg_id=t-1" in asked(heads[0])


async def test_a_cut_reconnects_to_the_same_url_with_the_last_whole_event() -> None:
    half = frame(3)[:-9]
    record, heads = await live(
        PLAN, opened(frame(1, retry=1), frame(2), half), stream(frame(3), frame(4, "done"))
    )
    assert record.outcome == "ended"
    assert [frame.seq for frame in record.frames()] == [1, 2, 3, 4]
    assert asked(heads[0]) == asked(heads[1])
    assert f"Last-Event-ID: run_{RUN}.2" in heads[1]
    assert [c.ended for c in record.connections] == ["cut", "clean"]
    assert record.connections[1].cursor == 2


async def test_an_id_without_data_primes_the_cursor() -> None:
    primed = f"retry: 1\nid: run_{RUN}.0\n\n".encode()
    _, heads = await live(PLAN, opened(primed), stream(frame(1, "done")))
    assert f"Last-Event-ID: run_{RUN}.0" in heads[1]


async def test_an_id_whose_block_was_cut_does_not_count() -> None:
    started = frame(1, retry=1) + f"id: run_{RUN}.2\n".encode()
    _, heads = await live(PLAN, opened(started), stream(frame(2, "done")))
    assert f"Last-Event-ID: run_{RUN}.1" in heads[1]


async def test_no_content_stops_an_event_source() -> None:
    waits = replace(PLAN, wait_for_204=True)
    record, _ = await live(waits, stream(frame(1, "done", retry=1)), plain(204, b""))
    assert record.outcome == "ended"
    assert [c.status for c in record.connections] == [200, 204]
    record, _ = await live(PLAN, opened(frame(1, retry=1)), plain(204, b""))
    assert record.outcome == "stopped"


async def test_any_other_answer_stops_an_event_source_for_ever() -> None:
    record, _ = await live(PLAN, opened(frame(1, retry=1)), plain(503, b'{"code":"x"}'))
    assert record.outcome == "stopped_by_error"
    assert record.connections[-1].status == 503
    record, _ = await live(PLAN, plain(503))
    assert record.outcome == "rejected"


async def test_our_own_client_tries_a_busy_server_again() -> None:
    plan = replace(PLAN, http_method="post", identity="idempotency_key")
    record, heads = await live(
        plan, plain(503, headers="Retry-After: 0\r\n"), stream(frame(1, "done"))
    )
    assert record.outcome == "ended"
    assert all("Idempotency-Key: t-1" in head for head in heads)
    assert asked(heads[0]).startswith("POST /api/chat/stream ")


async def test_leaving_on_purpose_and_coming_back_by_run() -> None:
    plan = replace(PLAN, leave_after=(2,), resume_by="run")
    record, heads = await live(
        plan,
        stream(frame(1, retry=1), frame(2), frame(3), frame(4, "done")),
        stream(frame(3), frame(4, "done")),
    )
    assert [c.ended for c in record.connections] == ["left", "clean"]
    assert asked(heads[1]) == f"GET /api/runs/run_{RUN}/events?after=2 HTTP/1.1"


async def test_cancels_over_a_connection_of_its_own() -> None:
    plan = replace(PLAN, cancel_after=1)
    record, heads = await live(
        plan,
        stream(frame(1), frame(2, "error")),
        plain(200, b'{"status":"running"}'),
    )
    assert asked(heads[1]) == f"POST /api/runs/run_{RUN}/cancel HTTP/1.1"
    assert [(c.status, c.run_status) for c in record.cancels] == [(200, "running")]


async def test_polls_and_then_reads_the_rest() -> None:
    plan = replace(PLAN, leave_after=(1,), resume_by="run", poll=True)
    record, _ = await live(
        plan,
        stream(frame(1), frame(2, "done")),
        plain(200, b'{"status":"running"}'),
        plain(200, b'{"status":"completed"}'),
        stream(frame(2, "done")),
    )
    assert [status for _, status in record.polled] == ["running", "completed"]
    assert [frame.seq for frame in record.frames()] == [1, 2]


async def test_gives_up_when_nobody_answers() -> None:
    record = await Client(PLAN, [1], random.Random(1), watchdog_s=0.05).run()

    assert record.outcome == "timed_out"
    assert record.connections[0].ended == "refused"
