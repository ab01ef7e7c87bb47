"""Ports of stored credentials, of their encryption, and of what looks them up for calls."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from cartrita.domain.audit import Change
from cartrita.domain.credentials import (
    CredentialsByProvider,
    Payer,
    ProviderCredential,
    StoredCredential,
    WrappedKey,
)
from cartrita.kit.secret import Secret


class CredentialStore(Protocol):
    """Stores credentials. Each change is logged in its own transaction."""

    async def add(self, stored: StoredCredential, change: Change, *, retires_at: datetime) -> bool:
        """Store the newest credential of an owner and provider; the one before it retires then.

        False if another was stored meanwhile.
        """
        ...

    async def get(self, credential_id: str) -> StoredCredential | None: ...

    async def latest(
        self, tenant_id: str, owner_id: str | None, provider: str
    ) -> StoredCredential | None:
        """The newest of an owner and provider, also a revoked one."""
        ...

    async def revoke(self, credential_id: str, at: datetime, change: Change) -> bool:
        """End a credential and delete its key; false if it was revoked before."""
        ...

    async def page(
        self, tenant_id: str, owner_id: str | None, *, after: str | None, limit: int
    ) -> list[ProviderCredential]:
        """The tenant's, and with an owner also that one's, the oldest first."""
        ...


class ActiveCredentials(Protocol):
    """Looks up which stored credentials pay for calls."""

    async def active(self, payer: Payer) -> list[StoredCredential]:
        """The credentials that pay for new calls, of the user and of the tenant."""
        ...

    async def ended(self, credential_ids: Iterable[str]) -> set[str]:
        """Those that pay for nothing any more: of these, and all that ended in ten minutes."""
        ...

    async def payers(self) -> set[tuple[str, str | None]]:
        """Tenants and owners of which there is an active credential; without an owner, shared."""
        ...


class DataKeyStore(Protocol):
    """Stores the keys of tenants that encrypt their credentials."""

    async def get(self, key_id: str) -> WrappedKey | None: ...

    async def of_tenant(self, tenant_id: str) -> list[WrappedKey]:
        """A tenant's keys: one, or more where a wrapping key was lost."""
        ...

    async def add(self, key: WrappedKey) -> None: ...

    async def wrapped(self, *, not_by: str) -> list[WrappedKey]:
        """Those that another wrapping key has encrypted."""
        ...

    async def rewrap(self, old: WrappedKey, new: WrappedKey) -> bool:
        """Replace the encryption of a tenant's key; false if it has changed meanwhile."""
        ...


class CredentialCipher(Protocol):
    """Encrypts credentials by the keys of their tenants, and those by a wrapping key."""

    @property
    def wrapping_keys(self) -> Sequence[str]:
        """What tells the wrapping keys that are known here from others, the one of now first."""
        ...

    def new_data_key(self, tenant_id: str) -> WrappedKey:
        """A new key of a tenant."""
        ...

    def rewrapped(self, key: WrappedKey) -> WrappedKey:
        """The same key, encrypted by the wrapping key of now. Raises Unavailable."""
        ...

    def encrypt(self, key: WrappedKey, credential: ProviderCredential, text: Secret) -> bytes:
        """A provider's key, bound to the place of its credential. Raises Unavailable."""
        ...

    def decrypt(self, key: WrappedKey, stored: StoredCredential) -> Secret:
        """The provider's key. Raises Unavailable if it cannot be decrypted here."""
        ...


class CallCredentials(Protocol):
    """Tells what pays for calls, where it is not the server."""

    async def of(self, payer: Payer) -> CredentialsByProvider:
        """The newest that are active. Raises Unavailable."""
        ...


class KeyValidator(Protocol):
    """Asks providers whether they accept a key."""

    async def accepts(self, provider: str, key: Secret) -> bool:
        """Whether it does. Raises NotFound, and UpstreamError where the provider cannot tell."""
        ...
