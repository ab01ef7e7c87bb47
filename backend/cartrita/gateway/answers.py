"""What a call of a model comes to, whoever gives it."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from cartrita.domain.deltas import Delta
from cartrita.domain.failovers import Failover
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage


class Answer(Protocol):
    """An answer that has begun; its values follow each failover.

    `items` are bytes while it is relayed, whole frames or one whole body, and deltas while it is
    translated. An answer that was relayed and broke off is continued by deltas, an `Accepted`
    first. `monitor` is that of the relayed part. `headers` are those of the provider that callers
    may see, with lower-case names. `cache` is `hit` or `miss` where the cache was asked.
    """

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def answered_as(self) -> str | None:
        """See `Accepted`."""
        ...

    @property
    def receipts(self) -> tuple[Receipt, ...]: ...

    @property
    def failovers(self) -> tuple[Failover, ...]: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def relayed(self) -> bool: ...

    @property
    def monitor(self) -> RelayMonitor | None: ...

    @property
    def usage(self) -> Usage | None:
        """What a relayed answer used, which its bytes tell too; None before that is known."""
        ...

    @property
    def cache(self) -> str | None: ...

    @property
    def items(self) -> AsyncIterator[bytes | Delta]:
        """Raises UpstreamError if the answer broke off and could not be continued."""
        ...
