"""Legs: single calls of one deployment, of which one answer may need several.

A leg is opened until something of the answer has arrived, so that whatever fails before that can be
repeated unseen. It is then read to its end. Closing it closes the upstream call and reports it.
"""

from collections.abc import Awaitable, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Final, Protocol

from cartrita.domain.deltas import Delta
from cartrita.domain.failovers import Failover
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage
from cartrita.gateway.partial_answers import PartialAnswer
from cartrita.gateway.routes import Deployment

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


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
        """What it has used, estimated where the provider has not reported it.

        A call that was accepted has used its input, whatever became of it.
        """
        ...
