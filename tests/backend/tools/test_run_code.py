"""What agents are told of programs that they run."""

import pytest
from tests.backend.tools.contexts import context

from cartrita.domain.code import ProgramEnd, ProgramResult
from cartrita.tools.run_code import run_code_tool
from cartrita.tools.tool import Risk


class Runner:
    """Gives what the test says, and remembers what it was asked to run."""

    def __init__(self, result: ProgramResult) -> None:
        self.result = result
        self.ran: list[str] = []

    async def run(self, program: str) -> ProgramResult:
        self.ran.append(program)
        return self.result


@pytest.mark.parametrize(
    ("output", "end", "status", "told"),
    [
        ("42\n", ProgramEnd.EXITED, 0, "42"),
        ("", ProgramEnd.EXITED, 0, "The program printed nothing."),
        ("no\n", ProgramEnd.EXITED, 3, "no\n\n[The program ended with status 3.]"),
        ("", ProgramEnd.EXITED, 1, "[The program ended with status 1.]"),
        ("a", ProgramEnd.TOO_LONG, None, "a\n\n[The program was ended after 20 seconds.]"),
        ("a", ProgramEnd.KILLED, 137, "a\n\n[The program was killed: it took more than it may.]"),
        (
            "a",
            ProgramEnd.TOO_MUCH_OUTPUT,
            None,
            "a\n\n[The program was ended: it printed more than is read.]",
        ),
    ],
)
async def test_results(output: str, end: ProgramEnd, status: int | None, told: str) -> None:
    runner = Runner(ProgramResult(output, end, status))
    answer = await run_code_tool(runner, 20.0).run(context(), {"code": "print(42)"})
    assert answer.text == told
    assert answer.success is (status == 0)
    assert runner.ran == ["print(42)"]


async def test_it_acts_so_that_a_person_is_asked() -> None:
    runner = Runner(ProgramResult("", ProgramEnd.EXITED, 0))
    tool = run_code_tool(runner, 20.0)
    assert (tool.name, tool.risk, tool.parallel) == ("run_code", Risk.ACT, False)
    assert tool.timeout_s > 20.0
    for given in ({}, {"code": ""}, {"code": "x" * 100_001}, {"code": "1", "timeout": 5}):
        assert not (await tool.run(context(), dict(given))).success
    assert runner.ran == []
