"""Credentials that calls found before, so that they need not be looked for again."""

from collections.abc import Collection
from typing import Final

import structlog

from cartrita.application.credentials.vault import CredentialVault
from cartrita.domain.credentials import (
    NO_CREDENTIALS,
    CallCredential,
    CredentialsByProvider,
    Payer,
    StoredCredential,
)
from cartrita.domain.errors import Unavailable
from cartrita.domain.ports.credentials import ActiveCredentials
from cartrita.gateway.paid_providers import CredentialUses
from cartrita.kit.secret import Secret

log = structlog.get_logger(__name__)
_MOST_KNOWN: Final = 10_000


class KnownCredentials:
    """Tells what pays for calls: implements CallCredentials.

    A user's own credential goes before that of the tenant. Whoever has none is known without being
    looked for. What is known stays until `refresh` is called, which is whenever any process has
    changed a credential.
    """

    def __init__(
        self, store: ActiveCredentials, vault: CredentialVault, uses: CredentialUses
    ) -> None:
        self._store = store
        self._vault = vault
        self._uses = uses
        self._payers: Collection[tuple[str, str | None]] = ()
        self._known: dict[Payer, CredentialsByProvider] = {}

    async def of(self, payer: Payer) -> CredentialsByProvider:
        """See CallCredentials."""
        if not self._payers or not self._may_pay(payer):
            return NO_CREDENTIALS
        known = self._known.get(payer)
        return await self._read(payer) if known is None else known

    async def refresh(self) -> None:
        """Forget what is known, and cut the calls of credentials that have ended."""
        self._payers = await self._store.payers()
        self._known = {}
        if cut := self._uses.cut(await self._store.ended([*self._uses.credential_ids])):
            log.info("paid_calls_cut", calls=cut)

    def _may_pay(self, payer: Payer) -> bool:
        tenant_id, owner_id = payer
        return (tenant_id, owner_id) in self._payers or (tenant_id, None) in self._payers

    async def _read(self, payer: Payer) -> CredentialsByProvider:
        known = self._known
        found = await self._store.active(payer)
        # The tenant's first, so that the own ones replace them.
        ordered = sorted(found, key=lambda one: one.credential.owner_id is not None)
        paying = {one.credential.provider: await self._payment(one) for one in ordered}
        if len(known) >= _MOST_KNOWN:
            del known[next(iter(known))]
        known[payer] = paying  # which nobody reads any more if it was replaced meanwhile
        return paying

    async def _payment(self, stored: StoredCredential) -> CallCredential:
        credential = stored.credential
        try:
            key = await self._vault.key_of(stored)
        except Unavailable as error:
            if error.retryable:
                raise
            log.error("credential_unreadable", credential_id=credential.id)
            key = Secret("")
        return CallCredential(credential.id, key, shared=credential.owner_id is None)
