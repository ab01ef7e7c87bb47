"""A program that prints much keeps the event loop from nothing."""

import asyncio
import sys
from collections import Counter
from contextlib import suppress

import pytest
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage, JSONRPCNotification, jsonrpc_message_adapter

from cartrita.adapters.mcp import program_transport as module
from cartrita.adapters.mcp.config import ServerProgram
from cartrita.adapters.mcp.program_transport import program_transport

PRINTING = """
import sys
sys.stdout.write("y\\n" * 2000 + '{"jsonrpc": "2.0", "method": "notifications/progress"}\\n')
sys.stdout.flush()
sys.stdin.read()
"""


class NotedReading:
    """Reads messages, and counts how many in which turn of the loop."""

    def __init__(self) -> None:
        self.turn = 0
        self.read: Counter[int] = Counter()

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)

    def validate_json(self, line: bytes, *, by_name: bool) -> JSONRPCMessage:
        self.read[self.turn] += 1
        return jsonrpc_message_adapter.validate_json(line, by_name=by_name)


async def test_other_work_goes_on_between_printed_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = NotedReading()
    monkeypatch.setattr(module, "jsonrpc_message_adapter", noted)
    program = ServerProgram(command=(sys.executable, "-c", PRINTING))
    async with program_transport("garden", program) as (incoming, _):
        counting = asyncio.create_task(noted.count_turns())
        try:
            item = await incoming.receive()
        finally:
            counting.cancel()
            with suppress(asyncio.CancelledError):
                await counting
    assert isinstance(item, SessionMessage)
    assert isinstance(item.message, JSONRPCNotification)
    assert noted.read.total() == 2001
    assert max(noted.read.values()) <= 100
