"""Every fault of the table on every surface, streamed and not, relayed and translated."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
from tests.harness.fake_provider.launch import fake_provider
from tests.journeys.fault_table import table
from tests.journeys.fault_table.listener import Listener
from tests.journeys.fault_table.report import PROPERTY, Printed
from tests.journeys.fault_table.table import Cell, Outcome, Table

CELLS = table.cells()
LIGHT = [cell for cell in CELLS if not cell.case.heavy]
HEAVY = [cell for cell in CELLS if cell.case.heavy]
_KEY = "sk-of-the-fault-table"

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def light() -> dict[int, Outcome]:
    """What became of the cells that take little time, which are run at the same time."""
    return outcomes(LIGHT)


@pytest.fixture(scope="module")
def heavy() -> dict[int, Outcome]:
    """The same of those that move many bytes."""
    return outcomes(HEAVY)


def outcomes(planned: Sequence[Cell]) -> dict[int, Outcome]:
    """Run the cells; nothing may have surprised the server, nor a secret have reached its log."""
    with (
        fake_provider(seed=3, key=_KEY, models=table.MODELS) as provider,
        table.cartrita(provider, planned) as server,
        Listener() as listener,
    ):
        found = Table(server, provider, listener.url).run(planned)
        assert not server.unexpected_errors()
        assert not listener.connections
        assert _KEY not in server.log_path.read_text("utf-8", "replace")
    return found


def name(cell: Cell) -> str:
    parts = (cell.case.row, cell.case.name, cell.surface.name, cell.mode, cell.dialect)
    return "-".join(str(part) for part in parts)


def check(cell: Cell, found: dict[int, Outcome], record: Record) -> None:
    outcome = found[cell.number]
    expected = cell.case.expectation(cell.surface, cell.mode, cell.dialect)
    column = f"{cell.surface.name}, {cell.mode}"
    printed = Printed(
        cell.case.row, cell.case.name, column, expected.says(cell.surface), not outcome.problem
    )
    record(PROPERTY, msgspec.to_builtins(printed))
    assert not outcome.problem, outcome.received


@pytest.mark.parametrize("cell", LIGHT, ids=name)
def test_fault(cell: Cell, light: dict[int, Outcome], record_property: Record) -> None:
    check(cell, light, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("cell", HEAVY, ids=name)
def test_heavy_fault(cell: Cell, heavy: dict[int, Outcome], record_property: Record) -> None:
    check(cell, heavy, record_property)
