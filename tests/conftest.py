"""Fixtures for every test: a database, and guards against network access and a blocked loop."""

import gc
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from coverage import Coverage
from tests.harness import guards, scratch
from tests.harness.database import Postgres, TemporaryDatabase
from tests.journeys.fault_table.report import pytest_terminal_summary as pytest_terminal_summary

guards.install()
scratch.in_memory()

_HERE = Path(__file__).parent
_UNMEASURED = [
    _HERE / name for name in ("client", "docs", "sdks", "security", "journeys/fault_table")
]
"""Their servers run what those of other tests run as well, and twice as fast without coverage."""
_JOURNEYS = _HERE / "journeys"
_LONG = [_HERE / "browser", _JOURNEYS, _HERE / "security", _HERE / "docs"]
"""Their files take up to minutes: at the end of a run one worker would be busy alone."""
_COVERAGE = os.environ.get("COVERAGE_PROCESS_START")
_MEASURING = Coverage.current()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only slow tests are asked for, the many files that have none are not imported."""
    if config.option.markexpr != "slow" or not collection_path.name.startswith("test_"):
        return None
    folders = itertools.takewhile(lambda folder: folder != _HERE, collection_path.parents)
    texts = (collection_path, *(folder / "conftest.py" for folder in folders))
    return None if any("mark.slow" in each.read_text() for each in texts if each.exists()) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in _LONG))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """This process and those that this test starts measure their coverage, or do not."""
    if _COVERAGE is None:
        return
    measured = _measured(item)
    _measure(measured)
    if measured:
        os.environ["COVERAGE_PROCESS_START"] = _COVERAGE
    else:
        os.environ.pop("COVERAGE_PROCESS_START", None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """What was measured is stored here: a worker that takes long to exit after this is killed."""
    if _MEASURING is not None:
        _MEASURING.stop()
        _MEASURING.save()


def _measure(measured: bool) -> None:
    if _MEASURING is None or measured == (Coverage.current() is _MEASURING):
        return
    if measured:
        _MEASURING.start()
    else:
        _MEASURING.stop()


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


@pytest.fixture
def collected() -> Iterator[None]:
    """What the test leaves to the garbage collector is not found in another one."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """No test reaches beyond this machine, nothing in the product blocks the event loop."""
    guards.violations.clear()
    yield
    assert not guards.violations
