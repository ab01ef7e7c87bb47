"""uvicorn's WebSocket protocol with a limit on frames, whose clients always learn why it ends."""

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

TOO_MANY_FRAMES = 4429
_INVALID_DATA = 1007
_ABNORMAL = 1006
_BYTES_PER_CREDIT = 16 << 10
"""A frame costs one credit, and one more for each of these."""
_CLOSING_S = 5.0
"""How long a client may take to notice the end, which one that does not read never does."""
_NO_HANDSHAKE = (
    '{"error": "This is no handshake of a WebSocket: open one with a library.", '
    '"code": "malformed_request"}'
)


class ReticentHandshakes(ServerProtocol):
    """Refuses what is no handshake without repeating its headers, one of which may hold a key."""

    def reject(self, status: StatusLike, text: str) -> Response:
        response = super().reject(status, _NO_HANDSHAKE)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """Closes connections whose client sends too many frames, those of pings included.

    `frames_per_s` is what a client may send on and on, and four times as much at once; at the paths
    of `rates`, and right below those of them that end in a slash, it is another.

    What is unread when a connection is closed would reset it, and the client would not learn the
    close code: it is read and thrown away until the client has closed its side. `last_frames` has,
    by the code, a text that goes before it.
    """

    frames_per_s = 50.0
    rates: Mapping[str, float] = MappingProxyType({})
    last_frames: Mapping[int, str] = MappingProxyType({})

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # The base class logs whole URLs, and websockets each connection.
        self.logger = logging.getLogger("cartrita.websocket")
        self.conn = ReticentHandshakes(max_size=config.ws_max_size, logger=self.logger)
        self.close_timeout = _CLOSING_S
        self._limit_frames(self.frames_per_s)
        self._credited_at = self.loop.time()
        self._reads_to_end = False
        self._took_something = False

    def data_received(self, data: bytes) -> None:
        if self._reads_to_end:
            return
        super().data_received(data)
        if not self.handshake_initiated:  # it is no request that websockets would answer
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_events(self) -> None:
        for event in self.conn.events_received():
            if not isinstance(event, Frame):
                if isinstance(event, Request):
                    path = event.path.partition("?")[0]
                    folder = path[: path.rfind("/") + 1]
                    rate = self.rates.get(path) or self.rates.get(folder)
                    self._limit_frames(rate or self.frames_per_s)
                self.handle_connect(event)  # pyright: ignore[reportArgumentType] - a server's other event
            elif self._can_afford(len(event.data)):
                self._handle_frame(event)
            else:
                self.conn.data_to_send()  # the pongs
                self._fail(TOO_MANY_FRAMES, "too many frames: send fewer of them, and slower")
            if self._reads_to_end:
                return

    def send_receive_event_to_app(self) -> None:
        data, self.frames = self.frames[0], []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            try:
                self.queue.put_nowait({"type": "websocket.receive", "text": data.decode()})
            except UnicodeDecodeError:
                self._fail(_INVALID_DATA, "a text frame is not UTF-8")
                return
        else:
            self.queue.put_nowait({"type": "websocket.receive", "bytes": bytes(data)})
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_parser_exception(self) -> None:
        """Send the close frame that the protocol has made for what it received."""
        close = self.conn.close_sent
        code, reason = (_ABNORMAL, "") if close is None else (close.code, close.reason)
        last = None if self.close_sent else self.last_frames.get(code)
        if last is not None:
            self.transport.write(Frame(Opcode.TEXT, last.encode()).serialize(mask=False))
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._reads_to_end = True
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.transport.resume_reading()
        self._abort_later()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._took_something = True

    def keepalive_timeout(self) -> None:
        """Fail a client that has answered no ping, unless the ping waits behind what it takes."""
        if self._took_something and self.ping_timeout is not None:
            self._took_something = False
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
            return
        super().keepalive_timeout()
        self._abort_later()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected:
            self._abort_later()

    # The base class names a union of TypedDicts, of which each message of ours is one.
    async def send(self, message: Any) -> None:  # noqa: ANN401 - an ASGI message
        await self.writable.wait()
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        match message["type"]:
            case "websocket.close":
                self._abort_later()
            case "websocket.http.response.body":  # uvicorn takes a refusal for an error otherwise
                self.handshake_complete = self.close_sent
            case _:
                pass

    def _handle_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT:
                self._begin_message("text", frame)
            case Opcode.BINARY:
                self._begin_message("bytes", frame)
            case Opcode.CONT:
                self.frames[0] += frame.data
                if frame.fin:
                    self.send_receive_event_to_app()
            case Opcode.PING:
                self.handle_ping()
            case Opcode.PONG:
                self.handle_pong(frame)
            case Opcode.CLOSE:
                self.handle_close(frame)

    def _begin_message(self, kind: Literal["text", "bytes"], frame: Frame) -> None:
        """Begin a message; its fragments are joined as they come, since there may be many."""
        self.curr_msg_data_type = kind
        self.frames = [bytearray(frame.data)]  # pyright: ignore[reportAttributeAccessIssue] - it is typed as bytes
        if frame.fin:
            self.send_receive_event_to_app()

    def _limit_frames(self, per_s: float) -> None:
        self._earned_per_s = per_s
        self._largest_credit = max(4 * per_s, 2.0 + 2 * self.config.ws_max_size / _BYTES_PER_CREDIT)
        self._credit = self._largest_credit

    def _can_afford(self, size: int) -> bool:
        now = self.loop.time()
        earned = self._credit + (now - self._credited_at) * self._earned_per_s
        self._credit = min(self._largest_credit, earned) - 1 - size / _BYTES_PER_CREDIT
        self._credited_at = now
        return self._credit >= 0

    def _fail(self, code: int, reason: str) -> None:
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _abort_later(self) -> None:
        """Have the connection end also if its client takes nothing of what was written to it."""
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)


def websocket_protocol(
    frames_per_s: float,
    last_frames: Mapping[int, str] = MappingProxyType({}),
    rates: Mapping[str, float] = MappingProxyType({}),
) -> type[BoundedWebSocket]:
    """The protocol class for `uvicorn.Config(ws=...)`."""
    bounds = {"frames_per_s": frames_per_s, "last_frames": last_frames, "rates": rates}
    return type("WebSocket", (BoundedWebSocket,), bounds)
