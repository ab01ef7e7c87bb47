"""Users for tests of what belongs to them."""

from tests.harness.rows import BEGIN

from cartrita.adapters.persistence.accounts import TenantTable, UserTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.accounts import Tenant, User, UserRole
from cartrita.domain.audit import COMMAND_LINE, Change


def change(action: str = "test", tenant_id: str = "ann") -> Change:
    return Change(actor=COMMAND_LINE, action=action, object="it", tenant_id=tenant_id)


def a_user(user_id: str, tenant_id: str | None = None, role: UserRole = UserRole.MEMBER) -> User:
    """A user, of a tenant of the same name where none is given."""
    home = tenant_id or user_id
    return User(id=user_id, tenant_id=home, name=user_id, role=role, created_at=BEGIN)


async def stored_user(pool: Database, user: User) -> None:
    """Store a user, and its tenant if there is none."""
    tenant = Tenant(id=user.tenant_id, name=user.tenant_id, created_at=BEGIN)
    await TenantTable(pool).add(tenant, change())
    await UserTable(pool).add(user, change())
