"""API keys, their users and the log of changes on one database, with a clock that can be set."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cartrita.adapters.persistence.accounts import TenantTable, UserTable
from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.audit import AuditTable
from cartrita.adapters.persistence.database import Database
from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.accounts.tenants import Tenants
from cartrita.application.accounts.users import Users
from cartrita.application.audit import AuditLog
from cartrita.application.keys.api_keys import ApiKeys
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.own_keys import OwnKeys
from cartrita.domain.accounts import AccountChanges, UserRole
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.audit import COMMAND_LINE, Actor
from cartrita.domain.errors import Forbidden, NotFound
from cartrita.domain.scopes import Scopes
from cartrita.kit.secret import Secret

PEPPER = Secret("pepper")
BOOTSTRAP = Secret("a bootstrap key of at least 32 characters")


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, tzinfo=UTC)
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds


class Counting(ApiKeyTable):
    """The real table, with a count of how often it was asked for a key."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked = 0

    async def get(self, key_id: str) -> StoredApiKey | None:
        self.asked += 1
        return await super().get(key_id)


class Access:
    """Everything on one database; `table` counts what `keys` ask it."""

    def __init__(self, pool: Database, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.table = Counting(pool)
        self.known = KnownKeys(self.table, monotonic=self.clock.monotonic)
        self.own = OwnKeys(self.table, self.known, PEPPER, BOOTSTRAP, now=self.clock.now)
        self.keys = KeyAuthentication(self.own)
        self.log = AuditTable(pool)
        self.audit = AuditLog(self.log)
        users = UserTable(pool)
        self.issued = ApiKeys(ApiKeyTable(pool), users, self.known, PEPPER, now=self.clock.now)
        forget_keys, now = self.known.forget_all, self.clock.now
        self.tenants = Tenants(TenantTable(pool), forget_keys=forget_keys, now=now)
        self.users = Users(users, self.tenants, forget_keys=forget_keys, now=now)

    async def made(
        self,
        owner_id: str | None = "ann",
        *,
        tenant: str | None = None,
        scopes: Scopes | None = None,
        admin: bool = False,
        days: int | None = None,
    ) -> tuple[ApiKey, str]:
        """A key of this owner, and its text."""
        user = await self.users.ensure(COMMAND_LINE, owner_id, tenant)
        if admin:
            await self.users.change(COMMAND_LINE, user.id, AccountChanges(role=UserRole.ADMIN))
        ends = None if days is None else self.clock.moment + timedelta(days=days)
        key, secret = await self.issued.create(
            COMMAND_LINE, user.id, "my laptop", scopes=scopes, expires_at=ends
        )
        return key, secret.reveal()

    async def acting(self, owner_id: str, **how: object) -> Actor:
        """Someone who acts with a key of this owner."""
        _, text = await self.made(owner_id, **how)  # pyright: ignore[reportArgumentType]
        return Actor(await self.keys.authenticate(text), "192.0.2.1")


@asynccontextmanager
async def two_tenants(dsn: str) -> AsyncGenerator[Access]:
    """Access to a database with ann of the tenant a, and cid of the tenant c."""
    pool = Database(dsn, pool_size=4)
    made = Access(pool)
    await made.made("ann", tenant="a")
    await made.made("cid", tenant="c")
    yield made
    await pool.close()


async def outcome(trying: Awaitable[Any]) -> str:
    """The code of the error by which it is refused, or ok."""
    try:
        await trying
    except (Forbidden, NotFound) as error:
        return error.code
    return "ok"


async def actors(access: Access) -> tuple[Actor, Actor, Actor]:
    """A member and an admin of the tenant a, and the operator."""
    member = await access.acting("ann")
    admin = await access.acting("eve", tenant="a", admin=True)
    return member, admin, await access.acting("local")
