"""Fixtures for every test: a database, and guards against network access and a blocked loop."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.harness import guards
from tests.harness.database import Postgres, TemporaryDatabase
from tests.journeys.fault_table.report import pytest_terminal_summary as pytest_terminal_summary

guards.install()

_HERE = Path(__file__).parent
_UNMEASURED = [
    _HERE / name for name in ("client", "docs", "sdks", "security", "journeys/fault_table")
]
"""Their servers run what those of other tests run as well, and twice as fast without coverage."""
_JOURNEYS = _HERE / "journeys"
_LONG = [_JOURNEYS, _HERE / "security", _HERE / "docs"]
"""Their files take up to minutes: at the end of a run one worker would be busy alone."""
_COVERAGE = os.environ.get("COVERAGE_PROCESS_START")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in _LONG))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Processes that this test starts measure their coverage, or do not."""
    if _COVERAGE is None:
        return
    if _measured(item):
        os.environ["COVERAGE_PROCESS_START"] = _COVERAGE
    else:
        os.environ.pop("COVERAGE_PROCESS_START", None)


def _measured(item: pytest.Item) -> bool:
    """Of the journeys, those on the shared server: each start of another takes seconds more."""
    if any(item.path.is_relative_to(folder) for folder in _UNMEASURED):
        return False
    return not item.path.is_relative_to(_JOURNEYS) or "quiet_server" in _fixtures(item)


def _fixtures(item: pytest.Item) -> Sequence[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else ()


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
