"""Answers that are kept for equal requests."""

import msgspec

from cartrita.domain.deltas import Delta
from cartrita.domain.receipts import Receipt


class CachedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer: who gave it, and its deltas, `Finished` at the end."""

    provider: str
    model: str
    deltas: tuple[Delta, ...]
    receipts: tuple[Receipt, ...] = ()
