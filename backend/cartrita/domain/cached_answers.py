"""Answers that are kept for equal requests."""

import msgspec

from cartrita.domain.deltas import Delta, Finished
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage


class CacheKey(msgspec.Struct, frozen=True):
    """Where an answer is kept: whose it is, and the hash of all that was asked."""

    owner_id: str
    digest: bytes


class RelayedBytes(msgspec.Struct, frozen=True):
    """What was passed on of an answer, and the hash of the request that it was passed on for."""

    request: bytes
    body: bytes


class CachedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer: who gave it, and its deltas, `Finished` at the end.

    `relayed` has its bytes too, where it was relayed: they hold fields that no delta does.
    """

    provider: str
    model: str
    deltas: tuple[Delta, ...]
    receipts: tuple[Receipt, ...] = ()
    relayed: RelayedBytes | None = None

    @property
    def finished(self) -> Finished | None:
        """Its last delta."""
        last = self.deltas[-1] if self.deltas else None
        return last if isinstance(last, Finished) else None

    @property
    def usage(self) -> Usage | None:
        """What was used for it, once."""
        return None if self.finished is None else self.finished.usage


class CacheBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a cache: its entries, and the bytes of all and of one."""

    entries: int = 1000
    total_bytes: int = 64 << 20
    entry_bytes: int = 1 << 20
