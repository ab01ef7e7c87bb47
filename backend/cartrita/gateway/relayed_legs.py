"""Legs whose answer comes as bytes of the caller's dialect."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import cache

import anyio
import structlog
from msgspec.structs import replace

from cartrita.domain.deltas import Accepted, Delta, Finished, answered_as, in_pieces
from cartrita.domain.errors import BudgetExhausted, UpstreamError
from cartrita.domain.failovers import Failover
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.providers import RelayProvider, RelayResponse
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.receipts import Receipt
from cartrita.domain.relays import ModelNames, RelayRequest
from cartrita.domain.token_estimates import SIZE_ERROR
from cartrita.domain.usage import Usage
from cartrita.gateway.call_log import AnswerTold
from cartrita.gateway.calls import Relayable
from cartrita.gateway.legs import NO_HEADERS
from cartrita.gateway.metering import MeteredCall
from cartrita.gateway.opened_calls import OpenedCall
from cartrita.gateway.partial_answers import PartialAnswer
from cartrita.kit.long_work import InTurns, run_long

log = structlog.get_logger(__name__)


class RelayedLeg:
    """A call whose answer comes as bytes of the caller's dialect.

    A whole body in answer to a streamed request, as of a server that cannot stream, comes as
    deltas.
    """

    def __init__(
        self,
        provider: RelayProvider,
        relayable: Relayable,
        metered: MeteredCall,
        last_bytes: float,
    ) -> None:
        self._provider = provider
        self._relayable = relayable
        self._metered = metered
        self._last_bytes = last_bytes
        self._response: RelayResponse | None = None
        self._primed = b""
        self._reading = False  # what was primed has been read, the rest is read as it comes
        self._deltas: AsyncIterator[Delta] | None = None
        self._usage: Usage | None = None  # of an answer that came as a whole
        self._ended = False
        self.deployment = metered.deployment
        self.outcome = CallOutcome.CANCELLED
        self.receipts: tuple[Receipt, ...] = ()
        self.failovers: tuple[Failover, ...] = ()
        self.answered_as: str | None = None
        self.headers = NO_HEADERS
        self._watching: RelayMonitor | None = None

    @property
    def monitor(self) -> RelayMonitor | None:
        """See `Leg`; there is one once the call has been accepted."""
        return self._watching if self._deltas is None else None

    def opened(self) -> AbstractAsyncContextManager[None]:
        """See `Leg`."""
        model = self.deployment.model
        request = RelayRequest(
            endpoint=self._relayable.endpoint,
            model=model,
            body=self._relayable.rewrite(model),
            headers=self._relayable.headers,
        )
        relay, growing = self._provider.relay(request), self._metered.call.streamed
        return OpenedCall(self, self._metered, relay, self._begin, growing=growing)

    def read(self) -> Awaitable[bytes | Delta | None]:
        return self._read_frames() if self._reading else self._read_primed()

    def partial(self) -> PartialAnswer:
        return PartialAnswer.of(self._watched.deltas())

    def usage(self) -> Usage:
        if self._usage is not None:
            return self._usage
        if self._watching is None:
            return self._unanswered()
        reported = self._watching.usage or Usage()
        if not self._watching.complete:
            return self._so_far(reported)
        return reported if reported.whole else self._estimate(reported, self._watching.written())

    def told(self) -> AnswerTold:
        """See `Reported`."""
        watched = self._watching
        if watched is None:
            return AnswerTold()
        return AnswerTold(watched.message_id, watched.finish_reason, watched.parts)

    async def _begin(self, response: RelayResponse) -> None:
        self._response = response
        self.headers = response.headers
        name, secrets = self.deployment.provider, response.secrets
        streamed, body_monitor = self._metered.call.streamed, self._relayable.body_monitor
        if streamed and body_monitor is not None and _is_json(response):
            self._watching = body_monitor(name, secrets, None)
            self._metered.answer = self._watching.deltas
            await self._read_unstreamed()
            return
        self._watching = self._relayable.monitor(name, secrets, self._names)
        self._metered.answer = self._watching.deltas
        self._watching.prepare(response.line_limit, self._estimate)
        await (self._prime() if streamed else self._read_whole())

    def _unanswered(self) -> Usage:
        """Of a call without an answer: whoever refuses one uses nothing.

        A provider begins a whole answer when it is done: left before that, it is being written.
        """
        left = self.outcome is CallOutcome.CANCELLED and not self._metered.call.streamed
        return self._metered.complete_relayed(Usage(), "") if left else Usage()

    def _so_far(self, reported: Usage) -> Usage:
        """Of an answer that has no end: what some count at its beginning is not all of it."""
        counted = self._estimate(replace(reported, output_tokens=0), self._watched.written())
        told = reported.whole and reported.output_tokens >= counted.output_tokens
        return reported if told else counted

    def _estimate(self, reported: Usage | None, deltas: Sequence[Delta]) -> Usage:
        output = PartialAnswer.of(deltas).written
        usage = self._metered.complete_relayed(reported or Usage(), output)
        if usage.estimated and self._watched.overlong:  # of which only the beginning was read
            return replace(usage, error_bound=max(usage.error_bound, SIZE_ERROR))
        return usage

    @property
    def _names(self) -> ModelNames | None:
        """The names of the model; None where it was sent by the name that was asked for."""
        asked, sent = self._metered.call.name, self.deployment.model
        return None if asked == sent else ModelNames(asked, sent)

    @property
    def _watched(self) -> RelayMonitor:
        assert self._watching is not None
        return self._watching

    async def _read_primed(self) -> bytes | Delta | None:
        if self._deltas is not None:
            return await anext(self._deltas, None)
        self._reading = self._metered.call.streamed
        primed, self._primed = self._primed, b""
        return primed or None

    async def _prime(self) -> None:
        pieces: list[bytes] = []
        while frames := await self._read_frames():
            pieces.append(frames)
            if self._watched.visible or self._watched.complete:
                break
        self._metered.mark_first_token()
        self._primed = b"".join(pieces)

    async def _read_whole(self) -> None:
        body = await self._read_body()
        self._primed = await run_long(len(body), self._watched.feed, body)
        self._usage = await run_long(len(body), self.usage)
        self.outcome = CallOutcome.COMPLETED

    async def _read_unstreamed(self) -> None:
        body = await self._read_body()
        deltas = await run_long(len(body), self._deltas_of, body)
        self.answered_as = answered_as(deltas, self.deployment.model)
        self._usage = usage = await run_long(len(body), self.usage)
        self._deltas = InTurns(
            replace(delta, usage=usage) if isinstance(delta, Finished) else delta
            for delta in in_pieces(deltas)
            if not isinstance(delta, Accepted)
        )
        self.outcome = CallOutcome.COMPLETED

    def _deltas_of(self, body: bytes) -> list[Delta]:
        self._watched.feed(body)
        return self._watched.deltas()

    async def _read_body(self) -> bytes:
        assert self._response is not None
        pieces: list[bytes] = []
        while piece := await self._response.read():
            pieces.append(piece)
        body = b"".join(pieces)
        self._metered.answer_bytes = len(body)
        return body

    async def _read_frames(self) -> bytes | None:
        """The next whole frames; None at the end of a complete answer."""
        watched, response = self._watched, self._response
        assert response is not None
        try:
            while piece := await (self._read_last() if watched.complete else response.read()):
                self._metered.answer_bytes += len(piece)
                if frames := watched.feed(piece):
                    if watched.complete:
                        self.outcome = CallOutcome.COMPLETED
                    elif (reservation := self._metered.reservation) is not None:
                        await reservation.cover(len(frames), self._written)
                    return frames
            return self._end(watched)
        except (UpstreamError, BudgetExhausted):
            if self._reading:
                self.outcome = CallOutcome.CUT
            raise

    def _written(self) -> str:
        return PartialAnswer.of(self._watched.written()).written

    async def _read_last(self) -> bytes:
        """After its end a stream may still tell its usage; what fails now is no failure."""
        assert self._response is not None
        with anyio.move_on_after(self._last_bytes), suppress(UpstreamError):
            return await self._response.read()
        return b""

    def _end(self, watched: RelayMonitor) -> bytes | None:
        """What the provider left out at the end."""
        if self._ended:
            return None
        last = watched.end()
        self._ended = True
        if watched.ignored:
            name = self.deployment.provider
            log.debug("upstream_parts_ignored", provider=name, parts=watched.ignored)
        if watched.misplaced:
            _log_misplaced(self.deployment.provider)
        self.outcome = CallOutcome.COMPLETED
        return last or None


@cache
def _log_misplaced(provider: str) -> None:
    """Told once of each provider: the clients that mind fail, and nobody else notices."""
    log.warning("upstream_events_misplaced", provider=provider)


def _is_json(response: RelayResponse) -> bool:
    content = response.headers.get("content-type", "")
    return content.partition(";")[0].strip().lower() == "application/json"
