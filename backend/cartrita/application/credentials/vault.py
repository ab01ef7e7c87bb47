"""The vault: credentials with their keys encrypted, by keys that each tenant has of its own."""

import structlog

from cartrita.domain.credentials import ProviderCredential, StoredCredential, WrappedKey
from cartrita.domain.errors import Unavailable
from cartrita.domain.ports.credentials import CredentialCipher, DataKeyStore
from cartrita.kit.secret import Secret

log = structlog.get_logger(__name__)


class CredentialVault:
    """Encrypts the keys of providers and decrypts them."""

    def __init__(self, store: DataKeyStore, cipher: CredentialCipher) -> None:
        self._store = store
        self._cipher = cipher

    async def locked(self, credential: ProviderCredential, key: Secret) -> StoredCredential:
        """The credential with its key encrypted; a tenant's first one makes the key of it.

        So does the first after the wrapping key was lost.
        """
        data_key = await self._data_key(credential.tenant_id)
        ciphertext = self._cipher.encrypt(data_key, credential, key)
        return StoredCredential(credential, data_key.id, ciphertext)

    async def key_of(self, stored: StoredCredential) -> Secret:
        """The provider's key. Raises Unavailable if it cannot be decrypted."""
        data_key = await self._store.get(stored.data_key_id)
        assert data_key is not None  # each credential refers to it
        return self._cipher.decrypt(data_key, stored)

    async def rewrap(self) -> None:
        """Encrypt the tenants' keys by the wrapping key of now; their credentials stay as they are.

        Those of a wrapping key that is not known here stay too, and are reported.
        """
        for old in await self._store.wrapped(not_by=self._cipher.wrapping_keys[0]):
            try:
                await self._store.rewrap(old, self._cipher.rewrapped(old))
            except Unavailable:
                log.error("credentials_unreadable", tenant_id=old.tenant_id)
            else:
                log.info("credentials_rewrapped", tenant_id=old.tenant_id)

    async def _data_key(self, tenant_id: str) -> WrappedKey:
        for known in await self._store.of_tenant(tenant_id):
            if known.wrapping_key in self._cipher.wrapping_keys:
                return known
        new = self._cipher.new_data_key(tenant_id)
        await self._store.add(new)
        return new
