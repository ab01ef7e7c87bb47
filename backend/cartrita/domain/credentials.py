"""Credentials: the keys by which providers are paid, where the callers bring them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import msgspec

from cartrita.domain.errors import Unavailable
from cartrita.domain.models import OFFLINE
from cartrita.domain.speech import SPEECH_ONLY
from cartrita.kit.secret import Secret

SERVER: Final = "server"
"""The id of the credential that is configured for a provider, which is the server's own."""
HINT_LENGTH: Final = 4
"""As many of the last characters of a stored key are shown, and never more."""


class CredentialState(StrEnum):
    """What a stored credential is used for.

    `active` pays for new calls. `retiring` was replaced, and pays for calls that had begun.
    `revoked` pays for nothing, and its key is deleted.
    """

    ACTIVE = "active"
    RETIRING = "retiring"
    REVOKED = "revoked"


class Payer(NamedTuple):
    """Whose credentials may pay for a call: the user's own, then those of the tenant."""

    tenant_id: str
    owner_id: str


class ProviderCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A stored key of a provider, without the key; `hint` is the end of it.

    One without an owner is shared by all users of the tenant. `version` counts those of the same
    owner and provider. What is `retiring` ends at `retires_at`.
    """

    id: str
    tenant_id: str
    owner_id: str | None
    provider: str
    version: int
    hint: str
    created_at: datetime
    validated_at: datetime
    retires_at: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> CredentialState:
        """What it is used for at this moment."""
        if self.revoked_at is not None or (self.retires_at is not None and self.retires_at <= now):
            return CredentialState.REVOKED
        return CredentialState.ACTIVE if self.retires_at is None else CredentialState.RETIRING

    @property
    def place(self) -> tuple[str, str, str, int]:
        """Where it is stored, which its encryption is bound to."""
        return (self.tenant_id, self.provider, self.id, self.version)


class StoredCredential(msgspec.Struct, frozen=True):
    """A credential with its key as it is stored: encrypted, and empty once it is revoked.

    `data_key_id` is that of the tenant's key which encrypts it.
    """

    credential: ProviderCredential
    data_key_id: str
    ciphertext: bytes


class WrappedKey(msgspec.Struct, frozen=True):
    """A key that encrypts credentials of a tenant, itself encrypted by `wrapping_key`.

    That one is outside of the database; here is what tells it from others.
    """

    id: str
    tenant_id: str
    wrapping_key: str
    ciphertext: bytes


class CallCredential(msgspec.Struct, frozen=True):
    """What pays for a call at one provider. `shared` is the tenant's, and else the caller's own.

    The `key` is empty where it cannot be decrypted.
    """

    id: str
    key: Secret
    shared: bool = False


def providers_with(provider: str) -> tuple[str, ...]:
    """What may be called by a key that stands for a credential of this provider.

    Where that only hears and speaks, the server's own answers, which cost nothing, come with it.
    """
    return (provider, OFFLINE) if provider in SPEECH_ONLY else (provider,)


def unreadable() -> Unavailable:
    """The error of a credential that cannot be decrypted, which does not pass by itself."""
    error = Unavailable(
        "A stored credential cannot be decrypted: it belongs to another secret of the server, or "
        "was changed in the database. Store the provider's key again.",
        code="credential_unreadable",
    )
    error.retryable = False
    return error


CredentialsByProvider: TypeAlias = Mapping[str, CallCredential]
NO_CREDENTIALS: Final[CredentialsByProvider] = MappingProxyType({})
"""The server pays for everything."""
