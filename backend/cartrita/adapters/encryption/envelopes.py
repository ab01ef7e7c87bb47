"""Envelopes of credentials: AES-256-GCM under the key of a tenant, that under a wrapping key.

Whatever is encrypted is bound to its place, so that rows cannot be exchanged in the database.
Implements CredentialCipher.
"""

import os
from collections.abc import Sequence
from secrets import token_hex
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cartrita.domain.credentials import (
    ProviderCredential,
    StoredCredential,
    WrappedKey,
    unreadable,
)
from cartrita.kit.secret import Secret, derive_secret

_NONCE: Final = 12
_VERSION: Final = b"\x01"
"""Of the format: nonce, ciphertext and tag follow."""


class CredentialEnvelopes:
    """Encrypts by the first of `secrets`; what the others have wrapped is read too.

    Each is 64 hexadecimal digits, as `derive_secret` makes them.
    """

    def __init__(self, secrets: Sequence[Secret]) -> None:
        keys = [(_fingerprint(secret), bytes.fromhex(secret.reveal())) for secret in secrets]
        self.wrapping_keys = tuple(name for name, _ in keys)
        self._secrets = dict(keys)

    def new_data_key(self, tenant_id: str) -> WrappedKey:
        """See CredentialCipher."""
        return self._wrap(token_hex(8), tenant_id, AESGCM.generate_key(256))

    def rewrapped(self, key: WrappedKey) -> WrappedKey:
        """See CredentialCipher."""
        return self._wrap(key.id, key.tenant_id, self._unwrap(key))

    def encrypt(self, key: WrappedKey, credential: ProviderCredential, text: Secret) -> bytes:
        """See CredentialCipher."""
        return _encrypt(self._unwrap(key), text.reveal().encode(), credential.place)

    def decrypt(self, key: WrappedKey, stored: StoredCredential) -> Secret:
        """See CredentialCipher."""
        place = stored.credential.place
        return Secret(_decrypt(self._unwrap(key), stored.ciphertext, place).decode())

    def _wrap(self, key_id: str, tenant_id: str, data_key: bytes) -> WrappedKey:
        name = self.wrapping_keys[0]
        ciphertext = _encrypt(self._secrets[name], data_key, _key_place(key_id, tenant_id))
        return WrappedKey(key_id, tenant_id, name, ciphertext)

    def _unwrap(self, key: WrappedKey) -> bytes:
        wrapping = self._secrets.get(key.wrapping_key)
        if wrapping is None:
            raise unreadable()
        return _decrypt(wrapping, key.ciphertext, _key_place(key.id, key.tenant_id))


def _fingerprint(secret: Secret) -> str:
    return derive_secret(secret, "name of a wrapping key").reveal()[:16]


def _key_place(key_id: str, tenant_id: str) -> tuple[str, ...]:
    return ("data key", tenant_id, key_id)


def _encrypt(key: bytes, plain: bytes, place: tuple[str | int, ...]) -> bytes:
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, msgspec.json.encode(place))


def _decrypt(key: bytes, envelope: bytes, place: tuple[str | int, ...]) -> bytes:
    nonce, ciphertext = envelope[1 : 1 + _NONCE], envelope[1 + _NONCE :]
    if envelope[:1] != _VERSION:
        raise unreadable()
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, msgspec.json.encode(place))
    except (InvalidTag, ValueError):  # a short nonce is a ValueError
        raise unreadable() from None
