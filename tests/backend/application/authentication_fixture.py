"""API keys, login sessions and tickets on one database, with a clock that can be set."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from tests.harness.rows import stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.accounts import TenantTable, UserTable
from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.access.login_sessions import LoginSessions
from cartrita.application.access.tickets import Tickets
from cartrita.application.accounts.tenants import Tenants
from cartrita.application.accounts.users import Users
from cartrita.application.keys.api_keys import ApiKeys
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.own_keys import OwnKeys
from cartrita.domain.api_keys import ApiKey
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.errors import Unauthenticated
from cartrita.kit import clock
from cartrita.kit.secret import Secret

PEPPER = Secret("pepper")
BOOTSTRAP = Secret("a bootstrap key of at least 32 characters")


@dataclass
class AuthenticationFixture:
    """Everything on one database, with a clock that can be set."""

    pool: Database
    dsn: str
    ahead: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.table = ApiKeyTable(self.pool)
        self.known = KnownKeys(self.table, cache_s=0)

    def now(self) -> datetime:
        return clock.now() + self.ahead

    def keys(self, bootstrap: Secret | None = BOOTSTRAP) -> KeyAuthentication:
        return KeyAuthentication(OwnKeys(self.table, self.known, PEPPER, bootstrap, now=self.now))

    def issued(self) -> ApiKeys:
        return ApiKeys(self.table, UserTable(self.pool), self.known, PEPPER, now=self.now)

    async def created(self, owner_id: str, expires_at: datetime | None = None) -> ApiKey:
        """A key of this owner, who is a member of a tenant of that name."""
        forget_keys = self.known.forget_all
        tenants = Tenants(TenantTable(self.pool), forget_keys=forget_keys)
        users = Users(UserTable(self.pool), tenants, forget_keys=forget_keys)
        await users.ensure(COMMAND_LINE, owner_id)
        issued = self.issued()
        key, _ = await issued.create(COMMAND_LINE, owner_id, "mine", expires_at=expires_at)
        return key

    async def revoke(self, key_id: str) -> None:
        await self.issued().revoke(COMMAND_LINE, key_id)

    def login_sessions(
        self, keys: KeyAuthentication, signing_key: str = "signing"
    ) -> LoginSessions:
        return LoginSessions(keys, Secret(signing_key), now=self.now)

    def tickets(self, keys: KeyAuthentication) -> Tickets:
        store = TicketTable(self.pool)
        return Tickets(store, keys, store.started, now=self.now)

    async def started(self, client_msg_id: str | None, *, ended_ago: timedelta | None) -> UUID:
        talk = await stored_conversation(self.pool)
        [message] = await stored_branch(self.pool, talk, "hello")
        return await stored_run(
            self.dsn,
            talk,
            message.id,
            status="running" if ended_ago is None else "completed",
            client_msg_id=client_msg_id,
            ended_ago=ended_ago or timedelta(0),
        )


async def refused(*tries: Awaitable[object]) -> None:
    """Expect Unauthenticated of all, with the same message."""
    messages: set[str] = set()
    for trying in tries:
        with pytest.raises(Unauthenticated) as refusal:
            await trying
        messages.add(refusal.value.message)
    assert len(messages) == 1
