"""The server: connections, and the steps of an answer put into practice."""

import asyncio
from collections.abc import Callable

from tests.harness.fake_provider import control, dialects
from tests.harness.fake_provider.dialect import Call, Service, plain
from tests.harness.fake_provider.http import (
    MAX_HEAD,
    BadRequest,
    Outlet,
    Reader,
    Request,
    read_request,
)
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.refusal import Refusal
from tests.harness.fake_provider.request_log import Exchange, Outcome, RequestLog
from tests.harness.fake_provider.script_selection import MalformedScript
from tests.harness.fake_provider.steps import Cut, Hang, Head, Send, Step, Steps, Wait

_FOR_EVER = 10 * 365 * 86400.0


class Server:
    """The vendors' endpoints on the loopback interface, and the control endpoints."""

    def __init__(self, service: Service, *, keep: int) -> None:
        self._service = service
        self._request_log = RequestLog(keep)

    async def serve(self, port: int, stop: asyncio.Event, tell: Callable[[int], None]) -> None:
        """Serve until `stop`; `tell` is told the port."""
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return asyncio.StreamReaderProtocol(Reader(limit=MAX_HEAD, loop=loop), self._connect)

        server = await loop.create_server(protocol, "127.0.0.1", port, backlog=2048)
        try:
            tell(server.sockets[0].getsockname()[1])
            await stop.wait()
        finally:
            # Not waiting for the connections: asyncio.run cancels what is still being answered.
            server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, Reader)
        # drain() then waits until the kernel has taken everything: what counts as sent was sent.
        writer.transport.set_write_buffer_limits(high=0)
        self._request_log.connections += 1
        try:
            while await self._serve_one(reader, writer):
                pass
        except ConnectionError:
            pass  # the client left between two requests
        finally:
            self._request_log.connections -= 1
            writer.close()

    async def _serve_one(self, reader: Reader, writer: asyncio.StreamWriter) -> bool:
        """Answer the next request; return whether the connection may carry another."""
        try:
            request = await read_request(reader, writer)
        except BadRequest as error:
            refusal = errors.OpenAIRefusal(str(error), status=error.status)
            body = refusal.body("req_control")
            await self._send_plain(Outlet(writer, keep_alive=False), refusal.status, body)
            return False
        except asyncio.IncompleteReadError:
            return False
        if request is None:
            return False
        outlet = Outlet(writer, keep_alive=request.keep_alive)
        if request.path in control.PATHS:
            await self._control(request, outlet)
        else:
            await self._answer(request, outlet, reader)
        return outlet.keep_alive

    async def _control(self, request: Request, outlet: Outlet) -> None:
        try:
            status, body = 200, control.answer(request, self._service, self._request_log)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body("req_control")
        await self._send_plain(outlet, status, body)

    async def _send_plain(self, outlet: Outlet, status: int, body: bytes) -> None:
        for step in plain(status, body):
            await _perform(step, outlet, None)
        await outlet.end()

    async def _answer(self, request: Request, outlet: Outlet, reader: Reader) -> None:
        exchange = self._request_log.begin(
            request.method, request.path, request.headers, request.body
        )
        call = Call(self._service, request, exchange, f"req_{exchange.number:08d}")
        outlet.request_id = (dialects.of(call).request_id_header(), call.request_id)
        outcome: Outcome = "cut"
        try:
            steps = self._steps(call)
            if exchange.script is not None and exchange.script.framing == "close":
                outlet.frame_by_close()
            outcome = await _perform_all(steps, outlet, exchange, reader)
        finally:
            if outcome == "disconnected":
                outlet.keep_alive = False
            self._request_log.end(exchange, outcome)

    def _steps(self, call: Call) -> Steps:
        dialect = dialects.of(call)
        try:
            return dialect.answer(call)
        except Refusal as refusal:
            return plain(refusal.status, call.envelope(refusal))
        except MalformedScript as error:
            return plain(400, dialect.refuse_script(str(error)).body(call.request_id))


async def _perform_all(steps: Steps, outlet: Outlet, exchange: Exchange, reader: Reader) -> Outcome:
    """Do the steps until their end, a cut, or the client's leaving, whatever comes first."""
    task = asyncio.current_task()
    assert task is not None
    # A client that leaves interrupts whatever is awaited: so no wait here needs a watcher.
    reader.on_gone = task.cancel
    try:
        for step in steps:
            if reader.gone:
                return "disconnected"
            await _perform(step, outlet, exchange)
            if isinstance(step, Cut):
                return "cut"
        await outlet.end()
    except asyncio.CancelledError:
        if not reader.gone:
            raise
        task.uncancel()
        return "disconnected"
    except ConnectionError:
        return "disconnected"
    finally:
        reader.on_gone = None
    return "complete"


async def _perform(step: Step, outlet: Outlet, exchange: Exchange | None) -> None:
    match step:
        case Head():
            outlet.head(step)
            if exchange is not None:
                exchange.note_head(step.status)
        case Send():
            await outlet.send(step.data)
            if exchange is not None:
                exchange.note_sent(len(step.data), step.tokens)
        case Wait():
            await asyncio.sleep(step.seconds)
        case Hang():
            await asyncio.sleep(_FOR_EVER)
        case Cut():
            await outlet.cut(reset=step.reset)
