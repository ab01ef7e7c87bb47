"""Request and response schemas of credentials."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from cartrita.application.keys.provider_shapes import LONGEST, SHORTEST
from cartrita.domain.credentials import CredentialState, ProviderCredential
from cartrita.kit import clock
from cartrita.surfaces.native.account_schemas import IssuedKeyView
from cartrita.surfaces.native.request_bodies import ExactModel

ProviderKey = Annotated[
    str,
    Field(
        min_length=SHORTEST,
        max_length=LONGEST,
        description="The provider's key. It is stored encrypted, and never shown again.",
        examples=["sk-..."],
    ),
]


class NewCredential(ExactModel):
    """A provider's key, for a key of this server that may use this provider only."""

    provider: Annotated[str, Field(min_length=1, max_length=64, examples=["openai"])]
    key: ProviderKey
    shared: Annotated[
        bool, Field(description="Whether it pays for all users of your tenant; admins only.")
    ] = False


class CredentialRotation(ExactModel):
    """The key that replaces another, and for how long that goes on paying for open answers."""

    key: ProviderKey
    overlap_seconds: Annotated[float | None, Field(ge=0, le=7_776_000)] = None


class CredentialView(BaseModel):
    """A credential without its key."""

    id: str
    provider: str
    shared: bool = Field(description="Whether it is the tenant's; else it is your own.")
    state: CredentialState
    version: int = Field(description="Counts those of the same owner and provider.")
    hint: str = Field(description="The end of the key, of four characters at most.")
    created_at: datetime
    validated_at: datetime = Field(description="When the provider accepted it.")
    retires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, credential: ProviderCredential) -> "CredentialView":
        return cls(
            id=credential.id,
            provider=credential.provider,
            shared=credential.owner_id is None,
            state=credential.state(clock.now()),
            version=credential.version,
            hint=credential.hint,
            created_at=credential.created_at,
            validated_at=credential.validated_at,
            retires_at=credential.retires_at,
            revoked_at=credential.revoked_at,
        )


class ExchangedCredential(BaseModel):
    """A stored credential, and the key of this server that was made for it."""

    credential: CredentialView
    api_key: IssuedKeyView = Field(description="Send its `key` as X-API-Key.")
