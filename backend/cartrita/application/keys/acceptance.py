"""Acceptance of providers' keys: each provider is asked, and what it refuses is remembered."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import structlog

from cartrita.application.keys.provider_shapes import KeyShapes
from cartrita.domain.errors import NotFound
from cartrita.domain.ports.credentials import KeyValidator
from cartrita.kit.remembered import Remembered
from cartrita.kit.secret import Secret

log = structlog.get_logger(__name__)

_LONGEST_REFUSAL_S: Final = 60.0
_CHECKS_AT_ONCE: Final = 16
"""So many keys are shown to one provider at once."""


class KeyAcceptance:
    """Shows keys to their providers, as `validator` does.

    A provider that accepts whatever it is shown, as model servers without keys, proves nothing:
    each is shown one that is made up too, once in `ttl_s`. At most `most` refusals are remembered.
    """

    def __init__(
        self,
        shapes: KeyShapes,
        validator: KeyValidator,
        *,
        ttl_s: float,
        most: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shapes = shapes
        self._validator = validator
        self._refused = Remembered[str](min(ttl_s, _LONGEST_REFUSAL_S), most=most, clock=monotonic)
        self._refusing = Remembered[str](ttl_s, clock=monotonic)
        self._asking = defaultdict[str, asyncio.Semaphore](
            lambda: asyncio.Semaphore(_CHECKS_AT_ONCE)
        )

    async def accepts(self, provider: str, key_id: str, key: Secret) -> bool:
        """Whether a provider accepts a key. Raises UpstreamError where it cannot be asked."""
        if key_id in self._refused:
            return False
        async with self._asking[provider]:
            accepted = await self._is_accepted(provider, key)
        if not accepted:
            self._refused.add(key_id)
        return accepted

    async def _is_accepted(self, provider: str, key: Secret) -> bool:
        try:
            accepted = await self._validator.accepts(provider, key)
            return accepted and await self._refuses_others(provider)
        except NotFound:  # there is nothing to try it with
            return False

    async def _refuses_others(self, provider: str) -> bool:
        """Whether a provider looks at keys at all."""
        if provider in self._refusing:
            return True
        if await self._validator.accepts(provider, self._shapes.made_up(provider)):
            log.warning("provider_accepts_any_key", provider=provider)
            return False
        self._refusing.add(provider)
        return True
