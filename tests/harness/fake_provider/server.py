"""The server: connections, the vendor's routes, and the steps of an answer put into practice."""

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence

import msgspec
from tests.harness.fake_provider import control
from tests.harness.fake_provider.http import (
    MAX_HEAD,
    BadRequest,
    Outlet,
    Reader,
    Request,
    read_request,
)
from tests.harness.fake_provider.openai_chat import chat_request, errors
from tests.harness.fake_provider.openai_chat.answer import Answer
from tests.harness.fake_provider.request_log import Exchange, Outcome, RequestLog
from tests.harness.fake_provider.script_selection import ScriptSelector
from tests.harness.fake_provider.steps import Cut, Hang, Head, Send, Step, Steps, Wait

_FOR_EVER = 10 * 365 * 86400.0
_CHAT = "/v1/chat/completions"


class Server:
    """OpenAI's chat completions and models on the loopback interface, and the control endpoints."""

    def __init__(self, *, seed: int, keys: Sequence[str], models: Sequence[str], keep: int) -> None:
        """Without `keys` no key is asked for, as model servers on one's own machine do."""
        self._seed = seed
        self._keys = keys
        self._selector = ScriptSelector(models)
        self._request_log = RequestLog(keep)
        self._started = int(time.time())

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
            refusal = errors.Refusal(str(error), status=error.status)
            await self._send_plain(Outlet(writer, keep_alive=False), refusal.status, refusal.body())
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
            status, body = 200, control.answer(request, self._selector, self._request_log)
        except errors.Refusal as refusal:
            status, body = refusal.status, refusal.body()
        await self._send_plain(outlet, status, body)

    async def _send_plain(self, outlet: Outlet, status: int, body: bytes) -> None:
        for step in _plain(status, body):
            await _perform(step, outlet, None)
        await outlet.end()

    async def _answer(self, request: Request, outlet: Outlet, reader: Reader) -> None:
        exchange = self._request_log.begin(
            request.method, request.path, request.headers, request.body
        )
        outlet.request_id = f"req_{exchange.number:08d}"
        outcome: Outcome = "cut"
        try:
            steps = self._steps(request, exchange)
            if exchange.script is not None and exchange.script.framing == "close":
                outlet.frame_by_close()
            outcome = await _perform_all(steps, outlet, exchange, reader)
        finally:
            if outcome == "disconnected":
                outlet.keep_alive = False
            self._request_log.end(exchange, outcome)

    def _steps(self, request: Request, exchange: Exchange) -> Steps:
        try:
            self._authorize(request)
            return self._route(request, exchange)
        except errors.Refusal as refusal:
            return _plain(refusal.status, refusal.body())

    def _authorize(self, request: Request) -> None:
        if not self._keys:
            return
        scheme, _, key = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise errors.no_key()
        if not any(hmac.compare_digest(key.encode(), known.encode()) for known in self._keys):
            raise errors.wrong_key(key)

    def _route(self, request: Request, exchange: Exchange) -> Steps:
        path = request.path.partition("?")[0]
        if path == _CHAT:
            return self._chat(request, exchange)
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return self._models(request, path)
        raise errors.no_such_url(request.method, path)

    def _chat(self, request: Request, exchange: Exchange) -> Steps:
        if request.method != "POST":
            raise errors.wrong_method(request.method, _CHAT)
        content_type = request.header("content-type", "application/x-www-form-urlencoded")
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise errors.wrong_content_type(content_type)
        chat = chat_request.parse(request.body, self._selector.models)
        exchange.script = self._selector.choose(chat)
        return Answer(exchange.script, chat, self._seed, exchange.number).steps()

    def _models(self, request: Request, path: str) -> Steps:
        if request.method != "GET":
            raise errors.wrong_method(request.method, path)
        cards = {name: self._card(name) for name in self._selector.models}
        if path == "/v1/models":
            listing = {"object": "list", "data": list(cards.values())}
            return _plain(200, msgspec.json.encode(listing))
        name = path.removeprefix("/v1/models/")
        if name not in cards:
            raise errors.no_such_model(name)
        return _plain(200, msgspec.json.encode(cards[name]))

    def _card(self, name: str) -> dict[str, str | int]:
        return {"id": name, "object": "model", "created": self._started, "owned_by": "fake"}


def _plain(status: int, body: bytes) -> Steps:
    yield Head(status, (("content-type", "application/json"),), len(body))
    yield Send(body)


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
