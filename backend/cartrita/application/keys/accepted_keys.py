"""Keys of providers that were accepted, kept in memory only."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from cartrita.domain.principals import Principal
from cartrita.kit.secret import Secret

KEPT_S: Final = 3600.0
"""For so long a key is kept after its last use."""


class AcceptedKey(msgspec.Struct, frozen=True):
    """A key that its provider has accepted; the operator's own has no `key`, for it is here."""

    principal: Principal
    digest: bytes
    provider: str
    key: Secret | None


class _KeptKey(msgspec.Struct):
    """One that is kept, and the moments at which it was accepted and used last."""

    accepted: AcceptedKey
    accepted_at: float
    used_at: float


class AcceptedKeys:
    """The keys by their ids: each is fresh for `ttl_s`, and at most `most` are kept."""

    def __init__(
        self, *, ttl_s: float, most: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ttl_s = ttl_s
        self._most = most
        self._monotonic = monotonic
        self._kept: OrderedDict[str, _KeptKey] = OrderedDict()

    def keep(self, key_id: str, accepted: AcceptedKey) -> None:
        """This one was accepted, just now."""
        now = self._monotonic()
        self._kept.pop(key_id, None)
        self._kept[key_id] = _KeptKey(accepted, now, now)
        while len(self._kept) > self._most or self._is_idle(next(iter(self._kept.values()))):
            self._kept.popitem(last=False)

    def drop(self, key_id: str) -> None:
        """This one is accepted no more."""
        self._kept.pop(key_id, None)

    def use(self, key_id: str) -> AcceptedKey | None:
        """The key, which is used now; None if it is not kept."""
        kept = self._find(key_id)
        if kept is None:
            return None
        kept.used_at = self._monotonic()
        self._kept.move_to_end(key_id)
        return kept.accepted

    def is_kept(self, key_id: str) -> bool:
        """Whether it was accepted, and used not long ago."""
        return self._find(key_id) is not None

    def is_fresh(self, key_id: str) -> bool:
        """Whether it was accepted not long ago."""
        kept = self._kept.get(key_id)
        return kept is not None and kept.accepted_at + self._ttl_s > self._monotonic()

    def _find(self, key_id: str) -> _KeptKey | None:
        kept = self._kept.get(key_id)
        if kept is not None and self._is_idle(kept):
            del self._kept[key_id]
            return None
        return kept

    def _is_idle(self, kept: _KeptKey) -> bool:
        return kept.used_at + KEPT_S <= self._monotonic()
