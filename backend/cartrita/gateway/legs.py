"""Legs: single calls of one deployment, of which one answer may need several.

A leg is opened until something of the answer has arrived, so that whatever fails before that can be
repeated unseen. It is then read to its end. Closing it closes the upstream call and reports it.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from types import MappingProxyType
from typing import Protocol

import anyio
from msgspec.structs import replace

from cartrita.domain.deltas import Accepted, Delta, Finished, answered_as
from cartrita.domain.errors import CartritaError, UpstreamCut, UpstreamError
from cartrita.domain.failovers import Failover
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.providers import ModelProvider, RelayProvider, RelayResponse
from cartrita.domain.receipts import Receipt
from cartrita.domain.relays import ModelNames, RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage
from cartrita.gateway.answers import Relayable, RelayMonitor
from cartrita.gateway.metering import MeteredCall
from cartrita.gateway.opened_calls import OpenedCall
from cartrita.gateway.partial_answers import PartialAnswer
from cartrita.gateway.routes import Deployment

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Leg(Protocol):
    """One call of a deployment. `outcome` is CANCELLED until it has ended in another way."""

    @property
    def deployment(self) -> Deployment: ...

    @property
    def outcome(self) -> CallOutcome: ...

    @property
    def answered_as(self) -> str | None:
        """See `Accepted`; None for a call whose answer is relayed."""
        ...

    @property
    def receipts(self) -> tuple[Receipt, ...]: ...

    @property
    def failovers(self) -> tuple[Failover, ...]: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def monitor(self) -> RelayMonitor | None:
        """The monitor of a relayed call; None where its answer comes as deltas."""
        ...

    def opened(self) -> AbstractAsyncContextManager[None]:
        """The open call, of whose answer something has arrived. Raises UpstreamError."""
        ...

    def read(self) -> Awaitable[bytes | Delta | None]:
        """The next item; None at the end. Raises UpstreamError."""
        ...

    def partial(self) -> PartialAnswer:
        """What was said so far. Raises UpstreamError if it was too long to keep."""
        ...

    def usage(self) -> Usage:
        """What it has used, estimated where the provider has not reported it."""
        ...


class TranslatedLeg:
    """A call whose answer comes as deltas; the provider's `Accepted` is kept back."""

    def __init__(
        self, provider: ModelProvider, request: ModelRequest, metered: MeteredCall
    ) -> None:
        self._provider = provider
        self._request = request
        self._metered = metered
        self._primed: deque[Delta] = deque()
        self._deltas: AsyncIterator[Delta] | None = None
        self._partial = PartialAnswer()
        self._finished: Finished | None = None
        self.deployment = metered.deployment
        self.outcome = CallOutcome.CANCELLED
        self.receipts: tuple[Receipt, ...] = ()
        self.failovers: tuple[Failover, ...] = ()
        self.answered_as: str | None = None
        self.headers = _NO_HEADERS
        self.monitor = None

    def opened(self) -> AbstractAsyncContextManager[None]:
        """See `Leg`."""
        return OpenedCall(self, self._metered, self._provider.stream(self._request), self._begin)

    async def read(self) -> Delta | None:
        if self._primed:
            return self._primed.popleft()
        try:
            delta = await self._next()
        except UpstreamError:
            self.outcome = CallOutcome.CUT
            raise
        if delta is not None:
            self._partial.add(delta)
        return delta

    def partial(self) -> PartialAnswer:
        return self._partial

    def usage(self) -> Usage:
        reported = Usage() if self._finished is None else self._finished.usage
        if self._metered.first_token_seconds is None or reported.whole:
            return reported
        return self._metered.complete(reported, lambda: self._request, self._partial.written)

    async def _begin(self, deltas: AsyncIterator[Delta]) -> None:
        self._deltas = deltas
        await self._prime()

    async def _prime(self) -> None:
        """Read until something is visible; an answer that nobody reads as it comes, to its end."""
        until_end = not self._metered.call.streamed
        while (delta := await self._next()) is not None:
            if isinstance(delta, Accepted):
                self.receipts, self.failovers = delta.receipts, delta.failovers
                self.answered_as = delta.answered_as
                continue
            self._primed.append(delta)
            self._partial.add(delta)
            if self._metered.first_token_seconds is None:
                self._metered.mark_first_token()
            if not until_end or isinstance(delta, Finished):
                return

    async def _next(self) -> Delta | None:
        assert self._deltas is not None
        delta = await anext(self._deltas, None)
        if isinstance(delta, Finished):
            self._finished = delta
            self.outcome = CallOutcome.COMPLETED
            if not delta.usage.whole:
                return replace(delta, usage=self.usage())
        elif delta is None and self._finished is None:
            name = self.deployment.provider
            raise UpstreamCut(f"{name} ended its answer in the middle.", provider=name)
        return delta


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
        self._deltas: deque[Delta] | None = None
        self._ended = False
        self.deployment = metered.deployment
        self.outcome = CallOutcome.CANCELLED
        self.receipts: tuple[Receipt, ...] = ()
        self.failovers: tuple[Failover, ...] = ()
        self.answered_as: str | None = None
        self.headers = _NO_HEADERS
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
        return OpenedCall(self, self._metered, self._provider.relay(request), self._begin)

    def read(self) -> Awaitable[bytes | Delta | None]:
        return self._read_frames() if self._reading else self._read_primed()

    def partial(self) -> PartialAnswer:
        return PartialAnswer.of(self._watched.deltas())

    def usage(self) -> Usage:
        reported = (None if self._watching is None else self._watching.usage) or Usage()
        if self._metered.first_token_seconds is None or reported.whole:
            return reported
        try:
            output = self.partial().written
        except CartritaError:  # too long to keep, or not of its dialect
            output = ""
        return self._metered.complete(reported, self._metered.call.parse, output)

    async def _begin(self, response: RelayResponse) -> None:
        self._response = response
        self.headers = response.headers
        name, secrets = self.deployment.provider, response.secrets
        streamed, body_monitor = self._metered.call.streamed, self._relayable.body_monitor
        if streamed and body_monitor is not None and _is_json(response):
            self._watching = body_monitor(name, secrets, None)
            await self._read_unstreamed()
            return
        self._watching = self._relayable.monitor(name, secrets, self._names)
        await (self._prime() if streamed else self._read_whole())

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
            return self._deltas.popleft() if self._deltas else None
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
        self._primed = self._watched.feed(await self._read_body())
        self._metered.mark_first_token()
        self.outcome = CallOutcome.COMPLETED

    async def _read_unstreamed(self) -> None:
        self._watched.feed(await self._read_body())
        deltas = self._watched.deltas()
        self.answered_as = answered_as(deltas, self.deployment.model)
        self._metered.mark_first_token()
        self._deltas = deque(
            replace(delta, usage=self.usage()) if isinstance(delta, Finished) else delta
            for delta in deltas
            if not isinstance(delta, Accepted)
        )
        self.outcome = CallOutcome.COMPLETED

    async def _read_body(self) -> bytes:
        assert self._response is not None
        pieces: list[bytes] = []
        while piece := await self._response.read():
            pieces.append(piece)
        return b"".join(pieces)

    async def _read_frames(self) -> bytes | None:
        """The next whole frames; None at the end of a complete answer."""
        watched, response = self._watched, self._response
        assert response is not None
        try:
            while piece := await (self._read_last() if watched.complete else response.read()):
                if frames := watched.feed(piece):
                    if watched.complete:
                        self.outcome = CallOutcome.COMPLETED
                    return frames
            return self._end(watched)
        except UpstreamError:
            if self._reading:
                self.outcome = CallOutcome.CUT
            raise

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
        self.outcome = CallOutcome.COMPLETED
        return last or None


def _is_json(response: RelayResponse) -> bool:
    content = response.headers.get("content-type", "")
    return content.partition(";")[0].strip().lower() == "application/json"
