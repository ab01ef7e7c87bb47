"""A tool that acts, in runs that ask nobody for approval."""

import asyncio
from typing import Annotated, Any

from msgspec import Meta
from tests.backend.agents.loop_fixture import (
    LoopFixture,
)

from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput


class Acting:
    """A tool that acts, and counts how often."""

    def __init__(self, risk: Risk = Risk.ACT) -> None:
        self.done: list[str] = []
        self.hold: asyncio.Event | None = None
        self.begun = asyncio.Event()
        self.risk = risk

    @property
    def tool(self) -> Tool:
        async def act(
            context: ToolContext, what: Annotated[str, Meta(max_length=40)]
        ) -> ToolOutput:
            """Act."""
            self.done.append(context.idem_key)
            self.begun.set()
            if self.hold is not None:
                await self.hold.wait()
            return ToolOutput(f"did {what}")

        return tool(act, risk=self.risk)


def never_asking(acting: Acting, *scripts: Any, **work: Any) -> LoopFixture:
    return LoopFixture(
        *scripts,
        tools=(acting.tool,),
        overrides={"supervisor": {"approval": "never", "tools": ["calculator", "act"]}},
        **work,
    )
