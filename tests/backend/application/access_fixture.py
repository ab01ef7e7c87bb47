"""API keys, their users and the log of changes on one database, with a clock that can be set."""

from datetime import UTC, datetime, timedelta

from cartrita.adapters.persistence.accounts import TenantTable, UserTable
from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.audit import AuditTable
from cartrita.adapters.persistence.database import Database
from cartrita.application.accounts import Accounts
from cartrita.application.api_keys import ApiKeys
from cartrita.application.authentication import KeyAuthentication
from cartrita.domain.accounts import AccountChanges, UserRole
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.audit import COMMAND_LINE, Actor
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
        self.keys = KeyAuthentication(
            self.table, PEPPER, BOOTSTRAP, now=self.clock.now, monotonic=self.clock.monotonic
        )
        self.audit = AuditTable(pool)
        users = UserTable(pool)
        self.issued = ApiKeys(ApiKeyTable(pool), users, self.keys, PEPPER, now=self.clock.now)
        self.accounts = Accounts(
            TenantTable(pool),
            users,
            self.audit,
            forget_keys=self.keys.known.forget_all,
            now=self.clock.now,
        )

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
        user = await self.accounts.ensure_user(COMMAND_LINE, owner_id, tenant)
        if admin:
            await self.accounts.change_user(
                COMMAND_LINE, user.id, AccountChanges(role=UserRole.ADMIN)
            )
        ends = None if days is None else self.clock.moment + timedelta(days=days)
        key, secret = await self.issued.create(
            COMMAND_LINE, user.id, "my laptop", scopes=scopes, expires_at=ends
        )
        return key, secret.reveal()

    async def acting(self, owner_id: str, **how: object) -> Actor:
        """Someone who acts with a key of this owner."""
        _, text = await self.made(owner_id, **how)  # pyright: ignore[reportArgumentType]
        return Actor(await self.keys.authenticate(text), "192.0.2.1")
