"""A worker process, which serves the application on the socket of the parent process."""

import asyncio
import ctypes
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import structlog
import uvicorn
import uvloop

from cartrita import logs
from cartrita.app import SOCKETS, create_server, require_known_limits
from cartrita.assembly.agents import create_agents
from cartrita.assembly.prices import create_prices
from cartrita.assembly.surface_config import surface_config
from cartrita.assembly.system import System, WorkerContext, open_system
from cartrita.cli.log_output import configure_logs, log_file
from cartrita.cli.server import worker_messages
from cartrita.cli.server.bootstrap import bootstrap
from cartrita.cli.server.http_protocol import http_protocol
from cartrita.cli.server.websocket_protocol import websocket_protocol
from cartrita.cli.server.worker_messages import Refused, Serving, WorkerConfig, WorkerMessage
from cartrita.domain.errors import CartritaError
from cartrita.kit.operator_error import OperatorError
from cartrita.kit.secret import Secret
from cartrita.settings import Settings
from cartrita.surfaces.native.desktop_socket import DESKTOP_SOCKETS, FRAMES_PER_S
from cartrita.surfaces.native.voice_socket.voice_socket import VOICE
from cartrita.surfaces.native.websocket.closings import LAST_FRAMES
from cartrita.surfaces.services import Services

log = structlog.get_logger(__name__)

_M_ARENA_MAX = -8
_CLOSING_S = 5
"""For what is left of short answers, also where no time is given to finish."""
_CUT_S = 1
"""So long before the end of that time, what goes on is cut, so that it says so itself."""


class WorkerServer(uvicorn.Server):
    """uvicorn without its signal handlers, since SIGTERM drains first; reports when it serves."""

    servers: list[asyncio.Server]

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit`. One that fails takes no more connections from its siblings."""
        try:
            await super().serve(sockets)
        finally:
            for listening in self.servers if self.started else ():
                listening.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 50)
        gc.enable()
        _send(Serving())


def main() -> None:
    """Read the configuration from standard input and serve."""
    for number in (signal.SIGINT, signal.SIGHUP):  # the terminal's reach us through the parent
        signal.signal(number, signal.SIG_IGN)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    _share_one_heap()
    config = worker_messages.decode_config(line)
    settings = Settings.from_json(config.settings)
    configure_logs(settings, log_file(settings))
    logs.log_failures_of_threads()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_work(config, settings))
        except Exception:
            log.exception("worker_failed")
            sys.stderr.flush()
            os._exit(1)  # a blocked thread could keep the process alive, and it is not replaced


def _share_one_heap() -> None:
    """Have threads allocate where the event loop does, with glibc: what one frees, another takes.

    Each would have a heap of its own, although no two of them work at once. A tokenizer, which is
    loaded in a thread, then takes the room that ended streams have left.
    """
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)


async def _work(config: WorkerConfig, settings: Settings) -> None:
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _exit_if_orphaned)
    for number in (
        *config.sockets,
        *config.shared,
    ):  # uvloop closes nothing for the processes that are started
        os.set_inheritable(number, False)
    if config.first:
        try:
            require_known_limits(surface_config(settings))
            create_agents(settings)
            create_prices(settings)
            _send(await bootstrap(config, settings))
        except (OperatorError, CartritaError) as error:
            _send(Refused(str(error)))
            return
    context = WorkerContext(config.dsn, Secret(config.secret), config.slot, config.shared)
    async with open_system(settings, context) as system:
        server = WorkerServer(_config(settings, system))
        async with asyncio.TaskGroup() as tasks:
            stop_requested = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop_requested.set)
            drain = tasks.create_task(
                _drain(stop_requested, system, server, settings.server.drain_s)
            )
            with ExitStack() as stack:
                listeners = [
                    stack.enter_context(socket.socket(fileno=os.dup(number)))
                    for number in config.sockets
                ]
                await server.serve(listeners)
            drain.cancel()


async def _drain(
    stop_requested: asyncio.Event, system: System, server: uvicorn.Server, seconds: float
) -> None:
    """Let runs finish, and then, in what is left of the time, the answers that are passed on."""
    await stop_requested.wait()
    log.info("draining")
    started = time.monotonic()
    await system.drain()
    left = seconds - (time.monotonic() - started)
    finishing = max(_CLOSING_S, int(left))
    server.config.timeout_graceful_shutdown = finishing
    server.should_exit = True
    await asyncio.sleep(finishing - _CUT_S)
    system.services.connections.stop()


def _config(settings: Settings, system: System) -> uvicorn.Config:
    @asynccontextmanager
    async def opening() -> AsyncGenerator[Services]:
        yield system.services

    config = settings.websocket
    return uvicorn.Config(
        create_server(surface_config(settings), opening, system.counts),
        http=http_protocol(
            settings.server.header_timeout_s,
            settings.server.write_timeout_s,
            [*(kind.path for kind in SOCKETS), DESKTOP_SOCKETS],
        ),
        log_config=None,
        access_log=False,
        server_header=False,
        ws=websocket_protocol(
            config.frames_per_s,
            LAST_FRAMES,
            {VOICE.path: settings.voice.frames_per_s, DESKTOP_SOCKETS: FRAMES_PER_S},
        ),
        ws_max_size=config.message_max_bytes,
        ws_ping_interval=config.ping_interval_s,
        ws_ping_timeout=config.ping_timeout_s,
        ws_per_message_deflate=False,  # it would take 64 KiB of each idle connection
        timeout_keep_alive=int(settings.server.keepalive_s),
        # Forwarded headers are trusted from configured proxies only.
        proxy_headers=bool(settings.server.trusted_proxies),
        forwarded_allow_ips=list(settings.server.trusted_proxies),
    )


def _exit_if_orphaned() -> None:
    """Exit at the end of the input: the parent sends nothing more, so it is gone."""
    if not os.read(sys.stdin.fileno(), 1):
        os._exit(1)


def _send(message: WorkerMessage) -> None:
    sys.stdout.buffer.write(worker_messages.encode(message) + b"\n")
    sys.stdout.buffer.flush()
