"""Fixtures of the tests of login sessions and tickets."""

from collections.abc import AsyncGenerator

import pytest
from tests.backend.application.authentication_fixture import AuthenticationFixture
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN

from cartrita.adapters.persistence.database import Database
from cartrita.application.access.authentication import KeyAuthentication
from cartrita.domain.principals import Principal


def patient(dsn: str, pool_size: int) -> Database:
    """On a busy machine a process may get no processor for seconds, within a transaction, too."""
    return Database(
        dsn,
        pool_size=pool_size,
        pool_wait_s=60.0,
        statement_timeout_s=600.0,
        idle_in_transaction_s=600.0,
    )


@pytest.fixture
async def authentication(database: TemporaryDatabase) -> AsyncGenerator[AuthenticationFixture]:
    pool = patient(database.dsn, pool_size=2)
    yield AuthenticationFixture(pool, database.dsn)
    await pool.close()


@pytest.fixture
def keys(authentication: AuthenticationFixture) -> KeyAuthentication:
    return authentication.keys()


@pytest.fixture
async def me(authentication: AuthenticationFixture, keys: KeyAuthentication) -> Principal:
    key = await authentication.created(ANN)
    return Principal(ANN, key.id, ANN)


@pytest.fixture
async def pool(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    made = patient(database.dsn, pool_size=4)
    yield made
    await made.close()
