"""Users: made, listed, changed and disabled by those who administer their tenants.

What others administer raises NotFound like what is missing.
"""

from collections.abc import Callable
from datetime import datetime
from secrets import token_hex

from cartrita.application.accounts.names import valid_changes, valid_id, valid_name
from cartrita.application.accounts.tenants import Tenants
from cartrita.domain.accounts import NO_CHANGES, AccountChanges, User, UserRole
from cartrita.domain.audit import Actor, Change
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.access import UserStore
from cartrita.domain.principals import Principal
from cartrita.kit import clock
from cartrita.kit.pagination import Page
from cartrita.kit.text import storable_text


class Users:
    """All methods raise Forbidden for callers who administer nothing, but for the own user."""

    def __init__(
        self,
        store: UserStore,
        tenants: Tenants,
        *,
        forget_keys: Callable[[], None],
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`forget_keys` has what is known of keys read again."""
        self._store = store
        self._tenants = tenants
        self._forget_keys = forget_keys
        self._now = now

    async def create(
        self,
        actor: Actor,
        user_id: str,
        tenant_id: str,
        *,
        name: str | None = None,
        role: UserRole = UserRole.MEMBER,
    ) -> User:
        """A new user without keys. Raises InvalidInput, NotFound, and Conflict if there is one."""
        await self._tenants.get(actor.principal, tenant_id)
        user = User(
            id=valid_id(user_id),
            tenant_id=tenant_id,
            name=valid_name("name", name or user_id),
            role=role,
            created_at=self._now(),
        )
        if not await self._store.add(user, _change(actor, "user.create", user, {"role": role})):
            raise Conflict(f"There is a user {user.id} already.", code="user_exists")
        return user

    async def get(self, by: Principal, user_id: str) -> User:
        """A user; everyone sees the own one. Raises NotFound."""
        if by.owner_id != user_id:
            by.require_admin()
        found = await self._find(user_id)
        if found is None or not (by.operator or by.tenant_id == found.tenant_id):
            raise NotFound("There is no such user.", code="user_not_found")
        return found

    async def page(
        self, by: Principal, tenant_id: str | None, after: str | None, limit: int
    ) -> Page[User]:
        """The users of a tenant, or all that the caller administers, in the order of their ids."""
        by.require_admin()
        if tenant_id is not None:
            await self._tenants.get(by, tenant_id)
        elif not by.operator:
            tenant_id = by.tenant_id
        found = await self._store.page(tenant_id, after=after, limit=limit + 1)
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)

    async def change(self, actor: Actor, user_id: str, changes: AccountChanges) -> User:
        """Rename a user, change its role, or disable it. Raises NotFound and Conflict."""
        actor.principal.require_admin()
        user = await self.get(actor.principal, user_id)
        if changes == NO_CHANGES:
            return user
        change = _change(actor, "user.change", user, changes.details)
        await self._store.change(user_id, valid_changes(changes), change)
        self._forget_keys()
        return await self.get(actor.principal, user_id)

    async def ensure(self, actor: Actor, user_id: str | None, tenant_id: str | None = None) -> User:
        """The user of this id; a new one, as without an id, gets a tenant of its own, or this one.

        Raises Conflict if the user is in another tenant.
        """
        actor.principal.require_operator()
        user_id = f"owner_{token_hex(8)}" if user_id is None else user_id
        user = await self._find(user_id)
        if user is None:
            home = await self._tenants.ensure(actor, tenant_id or valid_id(user_id))
            return await self.create(actor, user_id, home.id)
        if tenant_id is not None and user.tenant_id != tenant_id:
            raise Conflict(
                f"{user_id} is a user of the tenant {user.tenant_id}.", code="user_exists"
            )
        return user

    async def _find(self, user_id: str) -> User | None:
        return await self._store.get(user_id) if storable_text(user_id) == user_id else None


def _change(actor: Actor, action: str, user: User, details: JsonObject) -> Change:
    return Change(
        actor=actor, action=action, object=user.id, tenant_id=user.tenant_id, details=details
    )
