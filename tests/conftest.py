"""Fixtures for every test: a database, and guards against network access and a blocked loop."""

from collections.abc import Iterator

import pytest
from tests.harness import guards
from tests.harness.database import Postgres, TemporaryDatabase
from tests.journeys.fault_table.report import pytest_terminal_summary as pytest_terminal_summary

guards.install()


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
    """A migrated, empty database of this test's own."""
    created = postgres.create()
    yield created
    postgres.drop(created)


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """No test reaches beyond this machine, nothing in the product blocks the event loop."""
    guards.violations.clear()
    yield
    assert not guards.violations
