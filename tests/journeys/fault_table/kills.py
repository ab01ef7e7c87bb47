"""An upstream that leaves after any token of its answer, as cells of the table."""

from collections.abc import Iterator

import msgspec
from tests.harness.fake_provider.faults import Fault
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.fake_provider.timing_faults import CutOff, Stall
from tests.journeys.fault_table.clients import SURFACES
from tests.journeys.fault_table.expectations import (
    ANSWER,
    CUT,
    Broken,
    Either,
    Whole,
)
from tests.journeys.fault_table.rows import TEXT, Case
from tests.journeys.fault_table.table import Cell

TOKENS = 20
"""More than the answer has."""
_CALL = Script(tool_calls=(ToolCall(name="f", arguments={"city": "Paris", "days": [1, 2, 3]}),))
_WHOLE_CALL = Whole("", tools=1)
_BROKEN = Broken(CUT)


def cells() -> list[Cell]:
    """Each way to leave, after each token: once, always, and within a tool call."""
    found = [
        (case, surface, dialect)
        for case in _cases()
        for surface in SURFACES
        for dialect in surface.dialects
    ]
    return [
        Cell(number, case, surface, "stream", dialect)
        for number, (case, surface, dialect) in enumerate(found)
    ]


def _cases() -> Iterator[Case]:
    for after in range(TOKENS):
        for name, fault in _faults(after):
            yield _case(f"{name} after {after} tokens", TEXT, fault)
        yield _case_always(after)
    for after in range(4):
        for name, fault in _faults(after):
            yield _case_of_calls(f"{name} after {after} pieces of a call", fault)


def _faults(after: int) -> Iterator[tuple[str, Fault]]:
    yield "reset", CutOff(how="rst", after_tokens=after)
    yield "closed", CutOff(how="fin", after_tokens=after)
    yield "ended", CutOff(how="end", after_tokens=after)
    if after % 5 == 0:
        yield "stalled", Stall(after_tokens=after)


def _case(name: str, text: str, fault: Fault) -> Case:
    scripts = (Script(text=text, faults=(fault,)), Script(text=text))
    return Case(row=10, name=name, scripts=scripts, expected=ANSWER)


def _case_always(after: int) -> Case:
    """Each continuation is cut as well: the answer grows until it is whole, or it is given up."""
    script = Script(text=TEXT, faults=(CutOff(after_tokens=after),))
    name = f"reset after {after} tokens, always"
    return Case(row=10, name=name, scripts=(script,), expected=Either((ANSWER, _BROKEN, CUT)))


def _case_of_calls(name: str, fault: Fault) -> Case:
    scripts = (msgspec.structs.replace(_CALL, faults=(fault,)), _CALL)
    # A run tells of whole calls only: what is cut in its first call is refused.
    expected = Either((_WHOLE_CALL, _BROKEN, CUT))
    return Case(row=10, name=name, scripts=scripts, expected=expected)
