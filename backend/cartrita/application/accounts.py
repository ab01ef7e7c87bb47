"""Tenants and users: made, listed, changed and disabled by those who administer them.

The operator administers all tenants, an admin the own one and its users. What others administer
raises NotFound like what is missing.
"""

import re
from collections.abc import Callable
from datetime import datetime
from secrets import token_hex
from typing import Final
from uuid import UUID

from cartrita.domain.accounts import NO_CHANGES, AccountChanges, Tenant, User, UserRole
from cartrita.domain.audit import Actor, AuditEntry, Change
from cartrita.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.access import AuditStore, TenantStore, UserStore
from cartrita.domain.principals import Principal
from cartrita.kit import clock
from cartrita.kit.pagination import Page
from cartrita.kit.text import storable_text

NAME_MAX: Final = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


class Accounts:
    """Tenants, users, and the log of changes. All methods raise Forbidden for other callers."""

    def __init__(
        self,
        tenants: TenantStore,
        users: UserStore,
        audit: AuditStore,
        *,
        forget_keys: Callable[[], None],
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`forget_keys` has what is known of keys read again."""
        self._tenants = tenants
        self._users = users
        self._audit = audit
        self._forget_keys = forget_keys
        self._now = now

    async def create_tenant(self, actor: Actor, tenant_id: str, name: str | None = None) -> Tenant:
        """A new tenant without users. Raises InvalidInput, and Conflict if there is one."""
        require_operator(actor.principal)
        tenant = Tenant(
            id=_valid_id(tenant_id),
            name=valid_name("name", name or tenant_id),
            created_at=self._now(),
        )
        if not await self._tenants.add(
            tenant, _change(actor, "tenant.create", tenant.id, tenant.id)
        ):
            raise Conflict(f"There is a tenant {tenant.id} already.", code="tenant_exists")
        return tenant

    async def tenant(self, by: Principal, tenant_id: str) -> Tenant:
        """A tenant. Raises NotFound."""
        require_admin(by)
        found = None
        if (by.operator or by.tenant_id == tenant_id) and storable_text(tenant_id) == tenant_id:
            found = await self._tenants.get(tenant_id)
        if found is None:
            raise NotFound("There is no such tenant.", code="tenant_not_found")
        return found

    async def tenants(self, by: Principal, after: str | None, limit: int) -> Page[Tenant]:
        """The tenants, in the order of their ids; the cursor is the last one's."""
        require_admin(by)
        if not by.operator:
            return Page([await self.tenant(by, by.tenant_id)])
        found = await self._tenants.page(after=after, limit=limit + 1)
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)

    async def change_tenant(self, actor: Actor, tenant_id: str, changes: AccountChanges) -> Tenant:
        """Rename a tenant or disable it, which only the operator may. Raises NotFound, Conflict."""
        if changes.disabled is not None:
            require_operator(actor.principal)
        tenant = await self.tenant(actor.principal, tenant_id)
        if changes == NO_CHANGES:
            return tenant
        change = _change(actor, "tenant.change", tenant_id, tenant_id, _told(changes))
        await self._tenants.change(tenant_id, _valid(changes), change)
        self._forget_keys()
        return await self.tenant(actor.principal, tenant_id)

    async def create_user(
        self,
        actor: Actor,
        user_id: str,
        tenant_id: str,
        *,
        name: str | None = None,
        role: UserRole = UserRole.MEMBER,
    ) -> User:
        """A new user without keys. Raises InvalidInput, NotFound, and Conflict if there is one."""
        await self.tenant(actor.principal, tenant_id)
        user = User(
            id=_valid_id(user_id),
            tenant_id=tenant_id,
            name=valid_name("name", name or user_id),
            role=role,
            created_at=self._now(),
        )
        change = _change(actor, "user.create", user.id, tenant_id, {"role": role})
        if not await self._users.add(user, change):
            raise Conflict(f"There is a user {user.id} already.", code="user_exists")
        return user

    async def user(self, by: Principal, user_id: str) -> User:
        """A user; everyone sees the own one. Raises NotFound."""
        if by.owner_id != user_id:
            require_admin(by)
        found = await self._users.get(user_id) if storable_text(user_id) == user_id else None
        if found is None or not (by.operator or by.tenant_id == found.tenant_id):
            raise NotFound("There is no such user.", code="user_not_found")
        return found

    async def users(
        self, by: Principal, tenant_id: str | None, after: str | None, limit: int
    ) -> Page[User]:
        """The users of a tenant, or all that the caller administers, in the order of their ids."""
        require_admin(by)
        if tenant_id is not None:
            await self.tenant(by, tenant_id)
        elif not by.operator:
            tenant_id = by.tenant_id
        found = await self._users.page(tenant_id, after=after, limit=limit + 1)
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)

    async def change_user(self, actor: Actor, user_id: str, changes: AccountChanges) -> User:
        """Rename a user, change its role, or disable it. Raises NotFound and Conflict."""
        require_admin(actor.principal)
        user = await self.user(actor.principal, user_id)
        if changes == NO_CHANGES:
            return user
        change = _change(actor, "user.change", user_id, user.tenant_id, _told(changes))
        await self._users.change(user_id, _valid(changes), change)
        self._forget_keys()
        return await self.user(actor.principal, user_id)

    async def ensure_user(
        self, actor: Actor, user_id: str | None, tenant_id: str | None = None
    ) -> User:
        """The user of this id; a new one, as without an id, gets a tenant of its own, or this one.

        Raises Conflict if the user is in another tenant.
        """
        require_operator(actor.principal)
        user_id = f"owner_{token_hex(8)}" if user_id is None else user_id
        user = await self._users.get(user_id) if storable_text(user_id) == user_id else None
        if user is None:
            home = tenant_id or _valid_id(user_id)
            if await self._tenants.get(home) is None:
                await self.create_tenant(actor, home)
            return await self.create_user(actor, user_id, home)
        if tenant_id is not None and user.tenant_id != tenant_id:
            raise Conflict(
                f"{user_id} is a user of the tenant {user.tenant_id}.", code="user_exists"
            )
        return user

    async def audit(self, by: Principal, before: UUID | None, limit: int) -> Page[AuditEntry]:
        """The logged changes that the caller administers, newest first; the cursor is an id."""
        require_admin(by)
        tenant_id = None if by.operator else by.tenant_id
        found = await self._audit.page(tenant_id, before=before, limit=limit + 1)
        return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


def require_admin(by: Principal) -> None:
    """Raise Forbidden unless the caller administers a tenant."""
    if not by.admin:
        raise Forbidden(
            "This needs a key of an admin, whose scopes include the operation admin.",
            code="admin_required",
        )


def require_operator(by: Principal) -> None:
    """Raise Forbidden unless the caller administers the server."""
    require_admin(by)
    if not by.operator:
        raise Forbidden(
            "This needs a key of an admin of the tenant `local`, who runs this server.",
            code="operator_required",
        )


def valid_name(field: str, value: str) -> str:
    """A name on one line. Raises InvalidInput."""
    name = " ".join(storable_text(value).split())
    if not 0 < len(name) <= NAME_MAX:
        raise InvalidInput.of(field, f"it needs 1 to {NAME_MAX} characters")
    if _CONTROL.search(name):  # a terminal that lists names would obey
        raise InvalidInput.of(field, "it may have no control characters")
    return name


def _valid_id(text: str) -> str:
    if _ID.fullmatch(text) is None:
        raise InvalidInput.of("id", "write 1 to 100 letters, digits and . _ @ -")
    return text


def _valid(changes: AccountChanges) -> AccountChanges:
    if changes.name is None:
        return changes
    return AccountChanges(
        name=valid_name("name", changes.name), disabled=changes.disabled, role=changes.role
    )


def _told(changes: AccountChanges) -> JsonObject:
    told: JsonObject = {}
    if changes.name is not None:
        told["name"] = changes.name
    if changes.disabled is not None:
        told["disabled"] = changes.disabled
    if changes.role is not None:
        told["role"] = changes.role
    return told


def _change(
    actor: Actor, action: str, identity: str, tenant_id: str, details: JsonObject | None = None
) -> Change:
    return Change(
        actor=actor, action=action, object=identity, tenant_id=tenant_id, details=details or {}
    )
