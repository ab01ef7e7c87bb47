"""The credentials of callers: who pays for calls, and what stores and exchanges them."""

from datetime import timedelta
from typing import NamedTuple

from cartrita.adapters.encryption.envelopes import CredentialEnvelopes
from cartrita.adapters.persistence.credentials import CredentialTable
from cartrita.adapters.persistence.data_keys import DataKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.application.credentials.credentials import Credentials
from cartrita.application.credentials.known_credentials import KnownCredentials
from cartrita.application.credentials.vault import CredentialVault
from cartrita.application.keys.api_keys import ApiKeys
from cartrita.domain.ports.credentials import KeyValidator
from cartrita.gateway.paid_providers import CredentialUses
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings

_PURPOSE = "credentials"


class CredentialParts(NamedTuple):
    """Where credentials are stored, and what finds them for calls."""

    table: CredentialTable
    vault: CredentialVault
    known: KnownCredentials
    uses: CredentialUses


async def open_credentials(
    settings: Settings, database: Database, secret: Secret
) -> CredentialParts:
    """Encrypt the tenants' keys by the wrapping key of now, and learn who has credentials."""
    table = CredentialTable(database)
    vault = CredentialVault(
        DataKeyTable(database), CredentialEnvelopes(_wrapping_keys(settings, secret))
    )
    uses = CredentialUses()
    known = KnownCredentials(table, vault, uses)
    await vault.rewrap()
    await known.refresh()
    return CredentialParts(table, vault, known, uses)


def create_credentials(
    settings: Settings, parts: CredentialParts, validator: KeyValidator, api_keys: ApiKeys
) -> Credentials:
    """What stores credentials that their providers accept, and exchanges them."""
    return Credentials(
        parts.table,
        parts.vault,
        parts.known,
        validator,
        api_keys,
        overlap=timedelta(seconds=settings.auth.rotation_overlap_s),
    )


def _wrapping_keys(settings: Settings, secret: Secret) -> list[Secret]:
    config = settings.auth
    configured = (config.credentials_secret, config.credentials_previous_secret, secret)
    return [derive_secret(one, _PURPOSE) for one in configured if one is not None]
