"""The stand-in's connections: which request goes where, and the control requests of tests."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec
from tests.harness.deepgram import live, recorded, refusals, speech, talk
from tests.harness.deepgram.exchanges import Exchange
from tests.harness.deepgram.faults import Cut, Delays, Fault, Hang, Page, Raw, Refuse
from tests.harness.deepgram.refusals import Refused
from tests.harness.deepgram.state import State
from tests.harness.deepgram.web_socket import Ended, WebSocket
from tests.harness.fake_provider.http import (
    MAX_HEAD,
    BadRequest,
    Outlet,
    Reader,
    Request,
    read_request,
)
from tests.harness.fake_provider.steps import Head

_FOR_EVER: Final = 10 * 365 * 86400.0
_PROJECT: Final = {"project_id": "0b0d4f4c-7a36-4e6f-9f2b-6a6e2b7f5d11", "name": "of the tests"}
_Talk: TypeAlias = Callable[[WebSocket], Awaitable[None]]


class _Cut(Exception):
    """The connection was broken off on purpose."""


class Server:
    """Deepgram's endpoints on the loopback interface, and the control endpoints."""

    def __init__(self, state: State) -> None:
        self._state = state

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
            server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, Reader)
        writer.transport.set_write_buffer_limits(high=0)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, _Cut):
            pass  # one of the two left
        except asyncio.CancelledError:
            pass  # the stand-in ends while it hangs, as a test has told it to
        finally:
            writer.close()

    async def _serve_one(self, reader: Reader, writer: asyncio.StreamWriter) -> bool:
        try:
            request = await read_request(reader, writer)
        except BadRequest:
            return False
        if request is None:
            return False
        outlet = Outlet(writer, keep_alive=request.keep_alive)
        outlet.request_id = ("dg-request-id", refusals.REQUEST_ID)
        if request.path.startswith("/_"):
            await _send_whole(outlet, 200, "application/json", self._control(request))
            return outlet.keep_alive
        exchange = self._begin(request)
        upgrade = request.header("upgrade").lower() == "websocket"
        fault = self._state.take_fault(f"{'WS' if upgrade else request.method} {exchange.path}")
        if upgrade:
            await self._answer_socket(request, exchange, fault, reader, writer)
            return False
        await self._answer(request, exchange, fault, outlet)
        return outlet.keep_alive

    def _begin(self, request: Request) -> Exchange:
        parts = urlsplit(request.path)
        is_json = request.header("content-type").startswith("application/json")
        exchange = Exchange(
            number=len(self._state.exchanges) + 1,
            method=request.method,
            path=parts.path,
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in request.headers},
            body=request.body.decode("utf-8", "replace") if is_json else "",
            audio_bytes=0 if is_json else len(request.body),
        )
        self._state.exchanges.append(exchange)
        return exchange

    async def _answer(
        self, request: Request, exchange: Exchange, fault: Fault | None, outlet: Outlet
    ) -> None:
        await self._state.pause()
        try:
            if fault is not None and fault.after == 0:
                await self._misbehave(fault, exchange, outlet)
                return
            self._authorise(exchange)
            await self._respond(request, exchange, fault, outlet)
        except Refused as refused:
            await self._refuse(refused.refuse, exchange, outlet)

    async def _respond(
        self, request: Request, exchange: Exchange, fault: Fault | None, outlet: Outlet
    ) -> None:
        content_type = request.header("content-type")
        exchange.status = 200
        match request.method, exchange.path:
            case "POST", "/v1/listen":
                told = recorded.transcribe(self._state, exchange.query, content_type, request.body)
                await _send_whole(outlet, 200, "application/json", told)
            case "POST", "/v1/speak":
                order = speech.order_of(exchange.query, content_type, request.body)
                await self._speak(order, exchange, fault, outlet)
            case "GET", "/v1/projects":
                told = json.dumps({"projects": [_PROJECT]}).encode()
                await _send_whole(outlet, 200, "application/json", told)
            case _:
                raise Refused(404, "NOT_FOUND", "The requested resource does not exist.", "modern")

    async def _speak(
        self, order: speech.Order, exchange: Exchange, fault: Fault | None, outlet: Outlet
    ) -> None:
        headers = (
            ("content-type", order.media_type),
            ("dg-model-name", order.model),
            ("dg-char-count", str(len(order.text))),
        )
        outlet.head(Head(200, headers))
        for piece in speech.pieces_of(self._state, order):
            await asyncio.sleep(self._state.delays.word)
            if fault is not None and fault.after == len(exchange.sent):
                await self._misbehave(fault, exchange, outlet)
            await outlet.send(piece)
            exchange.sent.append("audio")
        await outlet.end()

    async def _answer_socket(
        self,
        request: Request,
        exchange: Exchange,
        fault: Fault | None,
        reader: Reader,
        writer: asyncio.StreamWriter,
    ) -> None:
        refused = fault if fault is not None and isinstance(fault.do, Refuse | Page) else None
        try:
            await self._state.pause()
            if refused is not None:
                await self._misbehave(refused, exchange, Outlet(writer, keep_alive=False))
                return
            self._authorise(exchange)
            run = self._talk_of(exchange)
        except Refused as error:
            await self._refuse(error.refuse, exchange, Outlet(writer, keep_alive=False))
            return
        socket = WebSocket(reader, writer, exchange, fault)
        self._state.open_sockets += 1
        try:
            await socket.open(request)
            await run(socket)
        except* Ended:
            pass  # of one of the tasks of a talk
        finally:
            self._state.open_sockets -= 1

    def _talk_of(self, exchange: Exchange) -> _Talk:
        state = self._state
        if exchange.path == "/v1/listen":
            hearing = live.options_of(exchange.query)
            return lambda socket: live.LiveListening(state, hearing, socket).run()
        if exchange.path == "/v1/speak":
            speaking = talk.options_of(exchange.query)
            return lambda socket: talk.Talk(state, speaking, socket).run()
        raise Refused(404, "NOT_FOUND", "The requested resource does not exist.", "modern")

    def _authorise(self, exchange: Exchange) -> None:
        scheme, _, key = exchange.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "token" or key not in self._state.keys:
            raise refusals.invalid_auth()

    async def _misbehave(self, fault: Fault, exchange: Exchange, outlet: Outlet) -> None:
        """Do the fault; returns where an answer was given. Raises _Cut."""
        deed = fault.do
        match deed:
            case Refuse():
                await self._refuse(deed, exchange, outlet)
            case Page():
                exchange.status = deed.status
                await _send_whole(outlet, deed.status, deed.content_type, deed.body.encode())
            case Cut():
                await outlet.cut(reset=deed.reset)
                raise _Cut
            case Raw():
                await outlet.send(deed.data)
                raise _Cut
            case Hang():
                await asyncio.sleep(_FOR_EVER)
            case _:
                raise AssertionError(f"{deed} is done to sockets only")

    async def _refuse(self, refuse: Refuse, exchange: Exchange, outlet: Outlet) -> None:
        exchange.status = refuse.status
        content_type, body = refusals.body_of(refuse)
        headers = list(refuse.headers.items())
        if "upgrade" in exchange.headers:
            headers.append(("dg-error", refuse.message))
        await _send_whole(outlet, refuse.status, content_type, body, headers)

    def _control(self, request: Request) -> bytes:
        state, body = self._state, request.body
        match request.method, request.path:
            case "POST", "/_words":
                return msgspec.json.encode(state.words.numbers(body.decode()))
            case "POST", "/_sentences":
                state.sentences.extend(msgspec.json.decode(body, type=list[str]))
            case "POST", "/_faults":
                state.faults.append(msgspec.json.decode(body, type=Fault))
            case "POST", "/_delays":
                state.delay(msgspec.json.decode(body, type=Delays))
            case "GET", "/_exchanges":
                return msgspec.json.encode(state.exchanges)
            case "GET", "/_open":
                return msgspec.json.encode(state.open_sockets)
            case "DELETE", "/_all":
                state.reset()
            case _:
                raise AssertionError(f"There is no {request.method} {request.path}.")
        return b"{}"


async def _send_whole(
    outlet: Outlet,
    status: int,
    content_type: str,
    body: bytes,
    headers: Iterable[tuple[str, str]] = (),
) -> None:
    outlet.head(Head(status, (("content-type", content_type), *headers), len(body)))
    await outlet.send(body)
    await outlet.end()
