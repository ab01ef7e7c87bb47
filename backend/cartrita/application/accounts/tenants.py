"""Tenants: made, listed, changed and disabled by those who administer them.

The operator administers all of them, an admin the own one. Others raise NotFound like what is
missing.
"""

from collections.abc import Callable
from datetime import datetime

from cartrita.application.accounts.names import valid_changes, valid_id, valid_name
from cartrita.domain.accounts import NO_CHANGES, AccountChanges, Tenant
from cartrita.domain.audit import Actor, Change
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.access import TenantStore
from cartrita.domain.principals import Principal
from cartrita.kit import clock
from cartrita.kit.pagination import Page
from cartrita.kit.text import storable_text


class Tenants:
    """All methods raise Forbidden for callers who administer nothing."""

    def __init__(
        self,
        store: TenantStore,
        *,
        forget_keys: Callable[[], None],
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`forget_keys` has what is known of keys read again."""
        self._store = store
        self._forget_keys = forget_keys
        self._now = now

    async def create(self, actor: Actor, tenant_id: str, name: str | None = None) -> Tenant:
        """A new tenant without users. Raises InvalidInput, and Conflict if there is one."""
        actor.principal.require_operator()
        tenant = Tenant(
            id=valid_id(tenant_id),
            name=valid_name("name", name or tenant_id),
            created_at=self._now(),
        )
        if not await self._store.add(tenant, _change(actor, "tenant.create", tenant.id)):
            raise Conflict(f"There is a tenant {tenant.id} already.", code="tenant_exists")
        return tenant

    async def get(self, by: Principal, tenant_id: str) -> Tenant:
        """A tenant. Raises NotFound."""
        by.require_admin()
        found = None
        if (by.operator or by.tenant_id == tenant_id) and storable_text(tenant_id) == tenant_id:
            found = await self._store.get(tenant_id)
        if found is None:
            raise NotFound("There is no such tenant.", code="tenant_not_found")
        return found

    async def page(self, by: Principal, after: str | None, limit: int) -> Page[Tenant]:
        """The tenants, in the order of their ids; the cursor is the last one's."""
        by.require_admin()
        if not by.operator:
            return Page([await self.get(by, by.tenant_id)])
        found = await self._store.page(after=after, limit=limit + 1)
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)

    async def change(self, actor: Actor, tenant_id: str, changes: AccountChanges) -> Tenant:
        """Rename a tenant or disable it, which only the operator may. Raises NotFound, Conflict."""
        if changes.disabled is not None:
            actor.principal.require_operator()
        tenant = await self.get(actor.principal, tenant_id)
        if changes == NO_CHANGES:
            return tenant
        change = _change(actor, "tenant.change", tenant_id, changes.details)
        await self._store.change(tenant_id, valid_changes(changes), change)
        self._forget_keys()
        return await self.get(actor.principal, tenant_id)

    async def ensure(self, actor: Actor, tenant_id: str) -> Tenant:
        """The tenant of this id, which is made if there is none. Raises InvalidInput."""
        actor.principal.require_operator()
        found = await self._store.get(tenant_id)
        return await self.create(actor, tenant_id) if found is None else found


def _change(actor: Actor, action: str, tenant_id: str, details: JsonObject | None = None) -> Change:
    return Change(
        actor=actor, action=action, object=tenant_id, tenant_id=tenant_id, details=details or {}
    )
