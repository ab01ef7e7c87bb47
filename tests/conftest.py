"""What every test may ask for: a database; and the laws that hold in all of them."""

from collections.abc import Iterator

import pytest
from tests.harness import house
from tests.harness.database import Postgres, TemporaryDatabase

house.watch()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop that the product runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole session."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[TemporaryDatabase]:
    """A migrated, empty database of this test's own: `.url` for SQLAlchemy, `.dsn` for asyncpg."""
    created = postgres.create()
    yield created
    postgres.drop(created)


@pytest.fixture(autouse=True)
def the_laws_of_the_house() -> Iterator[None]:
    """No test reaches beyond this machine, nothing in the product blocks the event loop."""
    house.broken.clear()
    yield
    assert not house.broken
