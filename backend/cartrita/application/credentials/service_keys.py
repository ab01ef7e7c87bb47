"""Validation of the keys of services: each is asked once whether it accepts one."""

from collections.abc import Iterable

from cartrita.domain.errors import UpstreamAuth, UpstreamQuota
from cartrita.domain.ports.credentials import KeyValidator
from cartrita.domain.ports.services import Service
from cartrita.kit.secret import Secret


class ServiceKeyValidator:
    """Implements KeyValidator for these services, and leaves all others to `providers`."""

    def __init__(self, services: Iterable[Service], providers: KeyValidator) -> None:
        self._services = {one.name: one for one in services}
        self._providers = providers

    async def accepts(self, provider: str, key: Secret) -> bool:
        """See KeyValidator."""
        service = self._services.get(provider)
        if service is None:
            return await self._providers.accepts(provider, key)
        try:
            await service.with_key(key).test_key()
        except UpstreamAuth:
            return False
        except UpstreamQuota:  # it is known there
            return True
        return True
