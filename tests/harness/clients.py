"""Recording clients: each follows its plan and records every frame it receives.

A client that resumes by URL is a browser's EventSource: it asks the same URL again with
Last-Event-ID after the time that `retry:` set, a 204 stops it, any other answer than 200 stops it
for ever. One that resumes by run asks `/api/runs/{id}/events?after=` as our own clients do.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from tests.harness import raw_http
from tests.harness.records import TERMINAL, Cancelled, Connection, Plan, ReceivedFrame, Record

from cartrita.kit.sse import Frame, Parser

_DEFAULT_RETRY_MS = 1000
_POLL_S = 0.2
_TRY_AGAIN = frozenset({429, 503})
_ENDED = frozenset({"completed", "failed", "cancelled", "interrupted"})
_SLOW_READ_STEP_S = 1.0


class Client:
    """One client with one plan; `run` returns its Record."""

    def __init__(
        self,
        plan: Plan,
        ports: Sequence[int],
        rng: random.Random,
        watchdog_s: float = 120.0,
        haste: float = 0.1,
    ) -> None:
        """`ports` are where the server, or its replicas, listen: each connection picks one.

        `haste` scales the time that `retry:` asks for, as leases are scaled in tests.
        """
        self.record = Record(plan, time.monotonic(), run=plan.follow or "")
        self._plan = plan
        self._ports = ports
        self._rng = rng
        self._watchdog_s = watchdog_s
        self._haste = haste
        self._last_id = f"run_{plan.follow}.{plan.after}" if plan.follow and plan.after else ""
        self._retry_ms = _DEFAULT_RETRY_MS
        self._leaves = list(plan.leave_after)

    async def run(self) -> Record:
        """Run until the terminal frame, or until something else ends this client."""
        try:
            async with asyncio.timeout(self._watchdog_s):
                while self.record.outcome == "running":
                    await self._connect()
                    if self.record.outcome == "running":
                        await self._pause()
        except TimeoutError:
            self.record.outcome = "timed_out"
        self.record.finished = time.monotonic()
        return self.record

    async def _pause(self) -> None:
        if self._plan.poll and self.record.run:
            await self._poll_until_ended()
        else:
            await asyncio.sleep(self._retry_ms / 1000 * self._haste)
        await self._cancel_if_due()

    async def _connect(self) -> None:
        port = self._rng.choice(self._ports)
        method, target, headers, body = self._request()
        cursor = int(self._last_id.rpartition(".")[2] or 0)
        connection = Connection(port, target, cursor, time.monotonic())
        connection.by_id = "Last-Event-ID" in headers
        self.record.connections.append(connection)
        slow = self._plan.slow_read_s > 0 and not any(c.slow_read for c in self.record.connections)
        connection.slow_read = slow
        try:
            answer = await raw_http.request(port, method, target, headers, body, slow=slow)
            async with answer:
                connection.status = answer.status
                connection.longest_wait = time.monotonic() - connection.opened
                await self._listen(answer, connection)
        except ConnectionRefusedError:
            connection.ended = "refused"
        except OSError as problem:
            connection.ended = "cut"
            connection.problem = str(problem)
        finally:
            connection.closed = time.monotonic()

    def _request(self) -> tuple[str, str, dict[str, str], bytes]:
        headers = {"X-API-Key": self._plan.api_key, "Accept": "text/event-stream"}
        follows = self._plan.follow or (self._last_id and self._plan.resume_by == "run")
        if follows:
            after = self._last_id.rpartition(".")[2] or "0"
            return "GET", f"/api/runs/run_{self.record.run}/events?after={after}", headers, b""
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        if self._plan.identity == "idempotency_key":
            headers["Idempotency-Key"] = self._plan.token
        fields = chat_fields(self._plan)
        if self._plan.http_method == "get":
            return "GET", f"/api/chat/stream?{urlencode(fields)}", headers, b""
        headers["Content-Type"] = "application/json"
        return "POST", "/api/chat/stream", headers, json.dumps(fields).encode()

    async def _listen(self, answer: raw_http.Answer, connection: Connection) -> None:
        if answer.status == 204:
            connection.ended = "clean"
            self.record.outcome = "ended" if self._saw_the_end() else "stopped"
            return
        if answer.status != 200:
            await self._rejected(answer, connection)
            return
        parser = Parser()
        waited = time.monotonic()
        tail = b""
        async for piece in self._pieces(answer, connection):
            now = time.monotonic()
            connection.longest_wait = max(connection.longest_wait, now - waited)
            frames = parser.feed(piece)
            tail = (tail + piece)[-4:]
            if tail.endswith((b"\n\n", b"\r\r", b"\r\n\r\n")) and not parser.unfinished:
                # A block without data sets the id too: that is how the first frame primes it.
                self._note_id(parser.last_event_id)
            for frame in frames:
                self._take(frame, connection, now)
            await self._cancel_if_due()
            if self._leaves_now(connection):
                connection.ended = "left"
                return
            waited = time.monotonic()
        connection.ended = "clean"
        self._after_clean_end()

    async def _pieces(
        self, answer: raw_http.Answer, connection: Connection
    ) -> AsyncIterator[bytes]:
        until = connection.opened + self._plan.slow_read_s
        async for piece in answer.chunks():
            slow = connection.slow_read and time.monotonic() < until
            answer.step = 1 if slow else 65536
            yield piece
            if slow:
                await asyncio.sleep(_SLOW_READ_STEP_S)

    def _take(self, frame: Frame, connection: Connection, now: float) -> None:
        received = ReceivedFrame(now, frame.id, frame.data)
        connection.frames.append(received)
        # Browsers keep the id over reconnects: a frame without one does not take it away.
        self._note_id(frame.id)
        if frame.retry is not None:
            self._retry_ms = connection.retry_ms = frame.retry

    def _note_id(self, identifier: str) -> None:
        self._last_id = identifier or self._last_id
        if not self.record.run:
            self.record.run = self._last_id.rpartition(".")[0].removeprefix("run_")

    def _after_clean_end(self) -> None:
        if self._saw_the_end() and not (
            self._plan.wait_for_204 and self._plan.resume_by == "url" and not self._plan.follow
        ):
            self.record.outcome = "ended"

    def _saw_the_end(self) -> bool:
        last = [c.frames[-1] for c in self.record.connections if c.frames]
        return bool(last) and last[-1].event in TERMINAL

    def _leaves_now(self, connection: Connection) -> bool:
        if self._leaves and len(connection.frames) >= self._leaves[0]:
            self._leaves.pop(0)
            return not self._saw_the_end()
        return False

    async def _rejected(self, answer: raw_http.Answer, connection: Connection) -> None:
        connection.ended = "status"
        connection.problem = (await answer.body())[:2000].decode("utf-8", "replace")
        browser = self._plan.http_method == "get" and self._plan.resume_by == "url"
        known = bool(self._last_id) or self._plan.identity != "plain"
        if answer.status in _TRY_AGAIN and not browser and known:
            self._retry_ms = 1000 * int(answer.headers.get("retry-after", "1"))
        else:
            self.record.outcome = "stopped_by_error" if self._last_id else "rejected"

    async def _cancel_if_due(self) -> None:
        due = self._plan.cancel_after
        received = sum(len(connection.frames) for connection in self.record.connections)
        if due is None or self.record.cancels or not self.record.run or received < due:
            return
        cancelled = await cancel(self._rng.choice(self._ports), self._plan, self.record.run)
        if cancelled:
            self.record.cancels.append(cancelled)

    async def _poll_until_ended(self) -> None:
        headers = {"X-API-Key": self._plan.api_key}
        status = ""
        while status not in _ENDED:
            await asyncio.sleep(_POLL_S)
            try:
                port = self._rng.choice(self._ports)
                code, response = await call(
                    port, "GET", f"/api/runs/run_{self.record.run}", headers
                )
            except OSError:
                continue
            status = str(response.get("status")) if code == 200 else f"HTTP {code}"
            self.record.polled.append((time.monotonic(), status))


def chat_fields(plan: Plan) -> dict[str, str]:
    """The request of a plan, as JSON fields and as query parameters alike."""
    fields = {"message": plan.message}
    if plan.agent:
        fields["agent_override"] = plan.agent
    else:
        fields["provider"], _, fields["model"] = plan.model.partition("/")
    if plan.conversation:
        fields["conversation_id"] = plan.conversation
    if plan.identity == "client_msg_id" and plan.token:
        fields["client_msg_id"] = plan.token
    if plan.busy:
        fields["busy"] = plan.busy
    return fields


async def cancel(port: int, plan: Plan, run: str) -> Cancelled | None:
    """Ask for a run's end over a connection of its own; None where nobody acknowledged it."""
    asked = time.monotonic()
    try:
        status, response = await call(
            port, "POST", f"/api/runs/run_{run}/cancel", {"X-API-Key": plan.api_key}
        )
    except OSError:
        return None
    if status not in (200, 202):
        return None
    now = time.monotonic()
    return Cancelled(run, asked, now, time.time(), status, str(response.get("status")))


async def call(
    port: int,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: Mapping[str, Any] | None = None,
) -> tuple[int, dict[str, Any]]:
    """One plain request: the status and the JSON object of its answer ({} where it is none)."""
    sent = b"" if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    answer = await raw_http.request(port, method, target, {**headers, **kind}, sent)
    async with answer:
        raw = await answer.body()
    try:
        response: Any = json.loads(raw)
    except ValueError:
        response = None
    return answer.status, response if isinstance(response, dict) else {}
