"""One WebSocket of the stand-in, without a library's I/O: so that it can misbehave at any frame."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tests.harness.deepgram.exchanges import Exchange
from tests.harness.deepgram.faults import Close, Cut, Fault, Hang, Raw, Send
from tests.harness.fake_provider.http import Request
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

_FOR_EVER = 10 * 365 * 86400.0


class Ended(Exception):
    """The socket is closed, from one side or the other."""


class WebSocket:
    """Messages in and out; `fault` is done after so many frames were sent."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        exchange: Exchange,
        fault: Fault | None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._exchange = exchange
        self._fault = fault
        self._protocol = ServerProtocol(max_size=4 << 20)
        self._events: list[Frame] = []
        self._parts: list[bytes] = []
        self._is_text = False
        self._reading = False

    async def open(self, request: Request) -> None:
        """Answer the handshake. Raises Ended for one that is none."""
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        lines += [f"{name}: {text}" for name, text in request.headers]
        self._protocol.receive_data("\r\n".join([*lines, "", ""]).encode("latin-1"))
        (asked,) = self._protocol.events_received()
        assert isinstance(asked, Handshake)
        response = self._protocol.accept(asked)
        response.headers["dg-request-id"] = "8c8ebea9-dbec-45fa-a035-e4632cb05b5f"
        self._protocol.send_response(response)
        self._exchange.status = response.status_code
        await self._flush()
        if self._protocol.state is not State.OPEN:
            raise Ended
        await self._misbehave()

    async def receive(self) -> str | bytes:
        """The next message. Raises Ended."""
        while True:
            while self._events:
                message = await self._message_of(self._events.pop(0))
                if message is not None:
                    return message
            await self._read()

    async def send(self, message: Mapping[str, Any] | bytes) -> None:
        """Send a message, as JSON if it is none of bytes. Raises Ended."""
        if isinstance(message, bytes):
            await self._send(message, "audio")
        else:
            await self._send(json.dumps(message), str(message["type"]))
        await self._misbehave()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it and wait for the client's close frame. Raises Ended."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._exchange.closed = str(code)
            await self._flush()
        while not self._reading:
            await self.receive()
        await asyncio.sleep(_FOR_EVER)  # another task reads, and ends the talk

    async def _message_of(self, frame: Frame) -> str | bytes | None:
        """The message that a frame completes."""
        if frame.opcode is Opcode.CLOSE:
            await self._note_close()
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        whole, self._parts = b"".join(self._parts), []
        if not self._is_text:
            self._exchange.audio_bytes += len(whole)
            return whole
        self._exchange.messages.append(whole.decode())
        return whole.decode()

    async def _read(self) -> None:
        self._reading = True
        try:
            data = await self._reader.read(1 << 16)
        except ConnectionError:
            data = b""
        finally:
            self._reading = False
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        received = self._protocol.close_rcvd
        if received is not None and self._exchange.closed is None:
            self._exchange.closed = str(received.code)
        events = self._protocol.events_received()
        self._events += [event for event in events if isinstance(event, Frame)]
        await self._flush()
        if not data and not self._events:
            self._exchange.closed = self._exchange.closed or "left"
            raise Ended

    async def _send(self, message: str | bytes, kind: str) -> None:
        if self._protocol.state is not State.OPEN:
            raise Ended
        if isinstance(message, bytes):
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message.encode())
        self._exchange.sent.append(kind)
        await self._flush()

    async def _misbehave(self) -> None:
        """Do the fault if its time has come."""
        if self._fault is None or self._fault.after != len(self._exchange.sent):
            return
        deed, self._fault = self._fault.do, None
        match deed:
            case Close():
                await self.close(deed.code, deed.reason)
            case Cut():
                await self._cut(deed)
            case Hang():
                await self._hang(deed)
            case Send():
                await self._send(deed.text or bytes(deed.size), "junk")
            case Raw():
                self._writer.write(deed.data)
                await self._writer.drain()
            case _:
                raise AssertionError(f"{deed} is not done in the middle of a socket")

    async def _hang(self, deed: Hang) -> None:
        """Answer nothing until the client has gone. Raises Ended."""
        if self._reading or not deed.reads:
            await asyncio.sleep(_FOR_EVER)  # another task reads, and ends the talk, or none does
        with suppress(ConnectionError):
            while await self._reader.read(1 << 16):
                pass
        self._exchange.closed = "left"
        raise Ended

    async def _cut(self, deed: Cut) -> None:
        await self._writer.drain()
        if deed.reset:
            connection: socket.socket = self._writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self._exchange.closed = "cut"
        raise Ended

    async def _note_close(self) -> None:
        await self._flush()
        self._writer.close()
        raise Ended

    async def _flush(self) -> None:
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self._writer.write(data)
                elif self._writer.can_write_eof():
                    self._writer.write_eof()
            await self._writer.drain()
        except OSError:  # the client has gone
            self._exchange.closed = self._exchange.closed or "left"
            raise Ended from None
