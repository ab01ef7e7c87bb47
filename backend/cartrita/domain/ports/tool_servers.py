"""The port of servers that run tools for agents."""

from collections.abc import Sequence
from typing import Protocol

from cartrita.domain.json import JsonObject
from cartrita.domain.tool_servers import ServedResult, ServedTool
from cartrita.domain.tools import TellProgress


class ToolServer(Protocol):
    """A server of tools, which may be away."""

    @property
    def name(self) -> str: ...

    @property
    def available(self) -> bool:
        """Whether it answered when it was last asked."""
        ...

    async def tools(self) -> Sequence[ServedTool]:
        """Its tools as it listed them last; the same object until it lists others.

        Waits for the first answer of a server that has just been started, for a bounded time.
        """
        ...

    async def call(self, tool: str, arguments: JsonObject, progress: TellProgress) -> ServedResult:
        """Call a tool by the name that its server has for it.

        Raises UpstreamUnreachable where nothing was sent, UpstreamCut where nobody knows what came
        of the call, UpstreamRejected for an error that the server told, and UpstreamMalformed.
        """
        ...
