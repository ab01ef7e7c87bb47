"""Receivers of spans, over HTTP: what they are sent, what they say, and what an operator is told.

Spans are encoded by OpenTelemetry and sent by our own client, in an event loop of the thread that
tells them: what answers may be anything, so its size is bounded, and one deadline is that of all.
"""

import asyncio
import gzip
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import msgspec
import structlog
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from cartrita.adapters.http.bodies import error_body, whole_body
from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines, HttpRequest
from cartrita.adapters.tracing.complaints import Complaints, Outcome
from cartrita.adapters.tracing.receipts import rejected
from cartrita.dialects.upstream_errors import retry_after
from cartrita.domain.errors import UpstreamError

log = structlog.get_logger(__name__)

_MOST_BYTES: Final = 64 << 10
"""Of an answer: it is empty, or says in a sentence what was not taken."""
_TRIES: Final = 6
_UNREACHABLE: Final = "unreachable"
_REFUSED: Final = "refused"
_AGAIN: Final = (_UNREACHABLE, 429, 502, 503, 504)
"""What may be otherwise a moment later, as OTLP/HTTP has it."""


class _Answer(msgspec.Struct, frozen=True):
    """What came of a request; `pause_s` is for how long the receiver wants to be left alone.

    `rejected` spans were not taken: all, where that is None.
    """

    outcome: Outcome
    reason: str = ""
    rejected: int | None = None
    pause_s: float = 0.0


class Receiver:
    """A server that spans are sent to, by `name`; `fixes` say what helps, by outcome.

    It is entered and left by the thread that sends.
    """

    def __init__(
        self,
        name: str,
        url: str,
        headers: Mapping[str, str],
        fixes: Mapping[Outcome, str],
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._complaints = Complaints(fixes, clock)
        self._name = name
        self._timeout_s = timeout_s
        self._request = HttpRequest(
            provider=name,
            method="POST",
            url=url,
            headers={
                **headers,
                "content-type": "application/x-protobuf",
                "content-encoding": "gzip",
            },
            deadlines=Deadlines(
                connect=timeout_s, headers=timeout_s, idle=timeout_s, total=timeout_s
            ),
            max_bytes=_MOST_BYTES,
        )
        self._runner = asyncio.Runner()
        self._http = HttpClient()

    def __enter__(self) -> Self:
        self._runner.run(self._http.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._http.__aexit__(kind, error, trace))
        self._runner.close()

    def send(self, spans: Sequence[ReadableSpan]) -> int:
        """How many were taken; an operator is told of what is wrong, each thing seldom."""
        body = gzip.compress(encode_spans(spans).SerializePartialToString())
        answer = self._runner.run(self._answer(body))
        lost = len(spans) if answer.rejected is None else min(answer.rejected, len(spans))
        if lost:
            self._complain(answer, lost)
        elif self._complaints.over():
            log.info("traces_taken_again", receiver=self._name)
        return len(spans) - lost

    def _complain(self, answer: _Answer, lost: int) -> None:
        if (fix := self._complaints.fix(answer.outcome)) is not None:
            log.warning(
                "traces_not_taken",
                receiver=self._name,
                outcome=answer.outcome,
                spans=lost,
                fix=fix,
                **({"reason": answer.reason} if answer.reason else {}),
            )

    async def _answer(self, body: bytes) -> _Answer:
        """What came of it in the time of one sending, with all that is tried again."""
        request = msgspec.structs.replace(self._request, body=body)
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                return await self._last_answer(request, deadline.when() or 0.0)
        except TimeoutError:
            return _Answer("timeout", f"It took more than {self._timeout_s:g} s.")

    async def _last_answer(self, request: HttpRequest, end: float) -> _Answer:
        now = asyncio.get_running_loop().time
        for tried in range(1, _TRIES):
            answer = await self._exchange(request)
            # At once where none was reached: a kept connection may have been closed meanwhile.
            pause = 2.0 ** (tried - 1) - (answer.outcome == _UNREACHABLE)
            pause = max(pause, answer.pause_s)
            if answer.outcome not in _AGAIN or now() + pause >= end:
                return answer
            await asyncio.sleep(pause)
        return await self._exchange(request)

    async def _exchange(self, request: HttpRequest) -> _Answer:
        try:
            async with self._http.open(request) as response:
                status = response.status
                if not 200 <= status < 300:
                    await error_body(response)  # so that the connection can be kept
                    return _Answer(status, pause_s=retry_after(response.headers) or 0.0)
                lost = max(0, rejected(response.headers, await whole_body(response)))
                return _Answer(_REFUSED if lost else status, rejected=lost)
        except ValueError as error:
            return _Answer("malformed", str(error))
        except UpstreamError as error:
            return _Answer(error.code.removeprefix("upstream_"), error.message)
