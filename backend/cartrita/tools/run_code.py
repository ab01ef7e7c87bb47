"""The tool `run_code`: Python programs, in a sandbox."""

from typing import Annotated, Final

from msgspec import Meta

from cartrita.domain.code import ProgramEnd, ProgramResult
from cartrita.domain.ports.code import ProgramRunner
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput

_LONGEST: Final = 100_000
_WAIT_S: Final = 60.0
"""For the programs of others to end, and for the sandbox to be made; a runner gives up before."""


def run_code_tool(runner: ProgramRunner, seconds: float) -> Tool:
    """The tool over this runner, whose programs take so many seconds at most."""

    async def run_code(
        _: ToolContext,
        code: Annotated[
            str,
            Meta(
                description="A whole program; print what you want to know.",
                min_length=1,
                max_length=_LONGEST,
            ),
        ],
    ) -> ToolOutput:
        """Run a Python program, and read what it prints.

        It has the standard library, no network, no input and none of the person's files. Nothing is
        kept from one program to the next.
        """
        result = await runner.run(code)
        return ToolOutput(
            _told(result, seconds),
            success=result.end is ProgramEnd.EXITED and result.status == 0,
        )

    return tool(run_code, risk=Risk.ACT, timeout_s=seconds + _WAIT_S, parallel=False)


def _told(result: ProgramResult, seconds: float) -> str:
    output = result.output.rstrip()
    if result.end is ProgramEnd.EXITED and result.status == 0:
        return output or "The program printed nothing."
    return f"{output}\n\n[{_ending(result, seconds)}]".lstrip()


def _ending(result: ProgramResult, seconds: float) -> str:
    match result.end:
        case ProgramEnd.EXITED:
            return f"The program ended with status {result.status}."
        case ProgramEnd.KILLED:
            return "The program was killed: it took more than it may."
        case ProgramEnd.TOO_LONG:
            return f"The program was ended after {seconds:g} seconds."
        case ProgramEnd.TOO_MUCH_OUTPUT:
            return "The program was ended: it printed more than is read."
