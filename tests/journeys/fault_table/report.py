"""Prints the table of faults at the end of a test run, from the properties of its tests."""

from collections import defaultdict
from typing import TypeAlias

import msgspec
import pytest

PROPERTY = "fault"


class Printed(msgspec.Struct, frozen=True):
    """One cell as it is printed: the expected outcome, and whether it was that."""

    row: int
    name: str
    column: str
    expected: str
    met: bool


Table: TypeAlias = dict[tuple[int, str], dict[str, list[Printed]]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, if any of its tests have run."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
    ]
    found = [
        msgspec.convert(value, Printed)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY
    ]
    if found:
        terminalreporter.section("faults x surfaces: what is expected, and FAIL where it was not")
        terminalreporter.write_line(
            "Streamed, and not; 'stored' are responses by a run. Two words where a relayed and a "
            "translated answer differ; - is what cannot be."
        )
        for line in lines(found):
            terminalreporter.write_line(line)


def lines(found: list[Printed]) -> list[str]:
    """The table as aligned text."""
    table: Table = defaultdict(lambda: defaultdict(list))
    for cell in found:
        table[cell.row, cell.name][cell.column].append(cell)
    columns = list(dict.fromkeys(cell.column for cell in found))
    rows = [
        ["fault", *(column.partition(", ")[0] for column in columns)],
        ["", *(column.partition(", ")[2] for column in columns)],
    ]
    for (row, name), cells in sorted(table.items(), key=lambda item: item[0][0]):
        rows.append([f"{row:2} {name}", *(_text(cells.get(column, [])) for column in columns)])
    widths = [max(len(row[at]) for row in rows) for at in range(len(columns) + 1)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _text(cells: list[Printed]) -> str:
    expected = ", ".join(dict.fromkeys(cell.expected for cell in cells))
    return expected if all(cell.met for cell in cells) else f"FAIL {expected}"
