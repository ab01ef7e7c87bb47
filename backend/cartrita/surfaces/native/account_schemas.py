"""Request and response schemas of keys, users, tenants and the log of changes to them."""

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Field

from cartrita.application.accounts.names import NAME_MAX
from cartrita.application.keys.scopes import NAMES_MAX, REQUESTS_MAX, TOKENS_MAX
from cartrita.domain.accounts import AccountChanges, Tenant, User, UserRole
from cartrita.domain.api_keys import ApiKey
from cartrita.domain.audit import AuditEntry
from cartrita.domain.scopes import Operation, Scopes
from cartrita.kit import clock
from cartrita.kit.secret import Secret
from cartrita.surfaces.native.moments import AwareMoment
from cartrita.surfaces.native.request_bodies import ExactModel

Names: TypeAlias = Annotated[tuple[str, ...] | None, Field(max_length=NAMES_MAX)]
AccountId: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=NAME_MAX, description="Letters, digits and . _ @ -")
]
AccountName: TypeAlias = Annotated[str | None, Field(max_length=NAME_MAX)]
ExpiresAt: TypeAlias = Annotated[
    AwareMoment | None,
    Field(description="With a time zone; not after the key that asks."),
]


class ScopesBody(ExactModel):
    """What a key may do. What is left out is not limited; an empty list allows nothing."""

    providers: Names = None
    models: Annotated[
        Names,
        Field(
            description="Patterns with `*`, of `provider/model`, or of a model at any provider.",
            examples=[["openai/gpt-5*", "claude-*"]],
        ),
    ] = None
    operations: Annotated[tuple[Operation, ...] | None, Field(max_length=NAMES_MAX)] = None
    tools: Annotated[
        Names, Field(description="Patterns of the types of tools that a provider runs.")
    ] = None
    requests_per_minute: Annotated[
        int | None, Field(strict=True, ge=1, le=REQUESTS_MAX, description="Counted by each worker.")
    ] = None
    tokens_per_minute: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            le=TOKENS_MAX,
            description="Of input and output, when an answer has ended; counted by each worker.",
        ),
    ] = None

    def to_scopes(self) -> Scopes:
        return Scopes(
            providers=self.providers,
            models=self.models,
            operations=self.operations,
            tools=self.tools,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
        )


class NewKey(ExactModel):
    """A key for yourself; without `scopes` it may do what the key that asks may."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
    scopes: ScopesBody | None = None
    expires_at: ExpiresAt = None


class NewKeyOfUser(NewKey):
    """A key for a user."""

    owner_id: AccountId


class KeyPatch(ExactModel):
    """The fields to change. `scopes` replace those that there were."""

    name: AccountName = None
    scopes: ScopesBody | None = None
    expires_at: ExpiresAt = None


class KeyRotation(ExactModel):
    """For how long the old key goes on working; as the server is configured without it."""

    overlap_seconds: Annotated[float | None, Field(ge=0, le=7_776_000)] = None


class ScopesView(BaseModel):
    """What a key may do; null is not limited."""

    providers: list[str] | None
    models: list[str] | None
    operations: list[str] | None
    tools: list[str] | None
    requests_per_minute: int | None
    tokens_per_minute: int | None

    @classmethod
    def of(cls, scopes: Scopes) -> "ScopesView":
        return cls(
            providers=_listed(scopes.providers),
            models=_listed(scopes.models),
            operations=_listed(scopes.operations),
            tools=_listed(scopes.tools),
            requests_per_minute=scopes.requests_per_minute,
            tokens_per_minute=scopes.tokens_per_minute,
        )


class KeyView(BaseModel):
    """An API key without its secret."""

    id: str
    owner_id: str
    name: str
    scopes: ScopesView
    active: bool = Field(description="False once it is revoked, expired or retired.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    replaced_by: str | None = Field(description="The id of its successor.")
    retires_at: datetime | None = Field(description="When it ends because it has a successor.")

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        return cls(**_key_fields(key))


class IssuedKeyView(KeyView):
    """A new key, whole this once."""

    key: str = Field(examples=["ck_..."])

    @classmethod
    def issued(cls, key: ApiKey, secret: Secret) -> "IssuedKeyView":
        return cls(**_key_fields(key), key=secret.reveal())


class Me(BaseModel):
    """Who calls, and what with."""

    owner_id: str
    name: str
    tenant_id: str
    role: UserRole
    admin: bool = Field(description="Whether this key administers the tenant.")
    operator: bool = Field(description="Whether this key administers the server.")
    key_id: str
    scopes: ScopesView


class NewTenant(ExactModel):
    """A tenant; its name is its id if there is no other."""

    id: AccountId
    name: AccountName = None


class TenantPatch(ExactModel):
    """The fields to change. While a tenant is disabled no key of its users works."""

    name: AccountName = None
    disabled: bool | None = None

    def to_changes(self) -> AccountChanges:
        return AccountChanges(name=self.name, disabled=self.disabled)


class TenantView(BaseModel):
    """A tenant."""

    id: str
    name: str
    created_at: datetime
    disabled_at: datetime | None

    @classmethod
    def of(cls, tenant: Tenant) -> "TenantView":
        return cls(
            id=tenant.id,
            name=tenant.name,
            created_at=tenant.created_at,
            disabled_at=tenant.disabled_at,
        )


class NewUser(ExactModel):
    """A user of a tenant; the id is the `owner_id` of what the user stores."""

    id: AccountId
    tenant_id: AccountId
    name: AccountName = None
    role: UserRole = UserRole.MEMBER


class UserPatch(TenantPatch):
    """The fields to change. While a user is disabled none of its keys works."""

    role: UserRole | None = None

    def to_changes(self) -> AccountChanges:
        return AccountChanges(name=self.name, disabled=self.disabled, role=self.role)


class UserView(TenantView):
    """A user."""

    tenant_id: str
    role: UserRole

    @classmethod
    def of_user(cls, user: User) -> "UserView":
        return cls(
            id=user.id,
            name=user.name,
            created_at=user.created_at,
            disabled_at=user.disabled_at,
            tenant_id=user.tenant_id,
            role=user.role,
        )


class AuditEntryView(BaseModel):
    """A change of a key, a user or a tenant, and who made it."""

    id: str
    at: datetime
    actor_key_id: str = Field(description="`cli` for the command line.")
    actor_owner_id: str
    tenant_id: str
    action: str = Field(examples=["key.revoke"])
    object: str = Field(description="The id of what was changed.")
    details: dict[str, Any]
    address: str | None

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryView":
        return cls(
            id=str(entry.id),
            at=entry.at,
            actor_key_id=entry.actor_key_id,
            actor_owner_id=entry.actor_owner_id,
            tenant_id=entry.tenant_id,
            action=entry.action,
            object=entry.object,
            details=entry.details,
            address=entry.address,
        )


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "owner_id": key.owner_id,
        "name": key.name,
        "scopes": ScopesView.of(key.scopes),
        "active": key.active(clock.now()),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "replaced_by": key.replaced_by,
        "retires_at": key.retires_at,
    }


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)
