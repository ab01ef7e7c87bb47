"""Programs that serve tools over their standard input and output, a message a line."""

from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

from cartrita.adapters.mcp.config import LARGEST_MESSAGE, ServerProgram
from cartrita.adapters.mcp.unasked import Unasked
from cartrita.adapters.processes.children import serving

log = structlog.get_logger(__name__)


@asynccontextmanager
async def program_transport(
    server: str, program: ServerProgram
) -> AsyncGenerator[TransportStreams]:
    """Start the program, and end it when the body does. Raises OSError if it cannot be started.

    It has the environment of its settings and nothing of ours; what it says on stderr is dropped.
    """
    environment = {name: value.reveal() for name, value in program.environment.items()}
    to_us, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, to_them = anyio.create_memory_object_stream[SessionMessage](0)
    async with (
        to_us,
        incoming,
        outgoing,
        to_them,
        serving(
            program.command,
            environment=environment,
            folder=program.folder,
            line_bytes=LARGEST_MESSAGE,
        ) as process,
        anyio.create_task_group() as tasks,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        tasks.start_soon(_read, server, process.stdout, to_us)
        tasks.start_soon(_write, process.stdin, to_them, to_us)
        try:
            yield incoming, outgoing
        finally:
            tasks.cancel_scope.cancel()


async def _read(
    server: str, output: StreamReader, to_us: MemoryObjectSendStream[SessionMessage | Exception]
) -> None:
    """Pass messages on until there are no more, or too many lines that are none.

    These are dropped: many print.
    """
    dropped = Unasked(server)
    async with to_us:
        while True:
            try:
                line = await output.readline()
            except ValueError:  # what `readline` raises for a line beyond its limit
                log.warning("tool_server_message_too_large", server=server, most=LARGEST_MESSAGE)
                return
            if not line:
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                if dropped.exceeded():
                    return
                await anyio.lowlevel.checkpoint()  # there may be megabytes of such lines
                continue
            try:
                await to_us.send(SessionMessage(message))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return


async def _write(
    program: StreamWriter,
    to_them: MemoryObjectReceiveStream[SessionMessage],
    to_us: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    """Write messages until the program takes no more; then nothing more is awaited of it."""
    async with to_them:
        try:
            async for item in to_them:
                text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                program.write(text.encode("utf-8", "replace") + b"\n")
                await program.drain()
        except (OSError, anyio.BrokenResourceError):
            await to_us.aclose()
