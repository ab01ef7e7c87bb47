"""Envelopes of credentials: what opens them, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.backend.examples import examples
from tests.harness.rows import BEGIN

from cartrita.adapters.encryption.envelopes import CredentialEnvelopes
from cartrita.domain.credentials import ProviderCredential, StoredCredential, WrappedKey
from cartrita.domain.errors import Unavailable
from cartrita.kit.secret import Secret, derive_secret

KEY = Secret("sk-a key of a provider")
CREDENTIAL = ProviderCredential(
    id="c1",
    tenant_id="t",
    owner_id=None,
    provider="openai",
    version=1,
    hint="ider",
    created_at=BEGIN,
    validated_at=BEGIN,
)


def secret(name: str) -> Secret:
    return derive_secret(Secret(name), "credentials")


@pytest.fixture(scope="module")
def envelopes() -> CredentialEnvelopes:
    return CredentialEnvelopes([secret("new"), secret("old")])


@pytest.fixture(scope="module")
def data_key(envelopes: CredentialEnvelopes) -> WrappedKey:
    return envelopes.new_data_key("t")


@pytest.fixture(scope="module")
def stored(envelopes: CredentialEnvelopes, data_key: WrappedKey) -> StoredCredential:
    return StoredCredential(CREDENTIAL, "k", envelopes.encrypt(data_key, CREDENTIAL, KEY))


def test_what_is_encrypted_comes_back(
    envelopes: CredentialEnvelopes, data_key: WrappedKey, stored: StoredCredential
) -> None:
    assert envelopes.decrypt(data_key, stored) == KEY
    again = envelopes.encrypt(data_key, CREDENTIAL, KEY)
    assert again != stored.ciphertext
    assert KEY.reveal().encode() not in stored.ciphertext


@pytest.mark.parametrize(
    "moved",
    [{"tenant_id": "u"}, {"provider": "anthropic"}, {"id": "c2"}, {"version": 2}],
)
def test_an_envelope_opens_at_its_place_only(
    envelopes: CredentialEnvelopes,
    data_key: WrappedKey,
    stored: StoredCredential,
    moved: dict[str, str | int],
) -> None:
    elsewhere = StoredCredential(replace(CREDENTIAL, **moved), "k", stored.ciphertext)
    with pytest.raises(Unavailable):
        envelopes.decrypt(data_key, elsewhere)


def test_keys_of_tenants_are_not_exchanged(
    envelopes: CredentialEnvelopes, data_key: WrappedKey, stored: StoredCredential
) -> None:
    moved = (replace(data_key, tenant_id="u"), replace(data_key, id="k"))
    for other in (*moved, envelopes.new_data_key("t")):
        with pytest.raises(Unavailable) as raised:
            envelopes.decrypt(other, stored)
        assert (raised.value.code, raised.value.retryable) == ("credential_unreadable", False)


@given(st.data())
@examples
def test_a_changed_envelope_does_not_open(
    envelopes: CredentialEnvelopes,
    data_key: WrappedKey,
    stored: StoredCredential,
    data: st.DataObject,
) -> None:
    envelope = bytearray(stored.ciphertext)
    if data.draw(st.booleans()):
        envelope[data.draw(st.integers(0, len(envelope) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del envelope[data.draw(st.integers(0, len(envelope) - 1)) :]
    with pytest.raises(Unavailable):
        envelopes.decrypt(data_key, StoredCredential(CREDENTIAL, "k", bytes(envelope)))


def test_a_new_wrapping_key_encrypts_the_data_keys_again_and_nothing_else(
    envelopes: CredentialEnvelopes, stored: StoredCredential, data_key: WrappedKey
) -> None:
    newer = CredentialEnvelopes([secret("newer"), secret("new")])
    rewrapped = newer.rewrapped(data_key)
    assert rewrapped.wrapping_key == newer.wrapping_keys[0] != data_key.wrapping_key
    alone = CredentialEnvelopes([secret("newer")])
    assert rewrapped.wrapping_key in alone.wrapping_keys
    assert data_key.wrapping_key not in alone.wrapping_keys
    assert rewrapped.id == data_key.id
    assert alone.decrypt(rewrapped, stored) == KEY
    with pytest.raises(Unavailable):
        alone.decrypt(data_key, stored)
    with pytest.raises(Unavailable):
        envelopes.rewrapped(rewrapped)
