"""Credentials that pay for calls: the key that its owner is known by, or else a stored one."""

from cartrita.application.keys.brought_keys import BroughtKeys, is_brought
from cartrita.domain.credentials import CredentialsByProvider, Payer
from cartrita.domain.ports.credentials import CallCredentials


class PayingCredentials:
    """Tells what pays for calls: implements CallCredentials."""

    def __init__(self, brought: BroughtKeys, stored: CallCredentials) -> None:
        self._brought = brought
        self._stored = stored

    async def of(self, payer: Payer) -> CredentialsByProvider:
        """See CallCredentials. Raises ProviderKeyGone."""
        if is_brought(payer.owner_id):
            return self._brought.credentials(payer.owner_id)
        return await self._stored.of(payer)
