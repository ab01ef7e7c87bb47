"""A worker process: the application on the parent's socket, until told to stop or orphaned."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
import uvloop

from cartrita import logs
from cartrita.app import create_app
from cartrita.assembly.system import Assembly, Seat, assembled, rules
from cartrita.cli.serving import worker_protocol
from cartrita.cli.serving.bootstrap import REFUSALS, bootstrap
from cartrita.cli.serving.http_protocol import http_protocol
from cartrita.cli.serving.worker_protocol import Refused, Serving, WorkerConfig, WorkerMessage
from cartrita.kit.secret import Secret
from cartrita.settings import Settings
from cartrita.surfaces.services import Services

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, since SIGTERM drains first; says when it serves."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _send(Serving())


def main() -> None:
    """Read the configuration from standard input and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us through the parent
    line = sys.stdin.buffer.readline()
    if not line:
        return
    config = worker_protocol.decode_config(line)
    settings = Settings.from_json(config.settings)
    logs.configure(settings.logging.level, settings.logging.format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_work(config, settings))
        except Exception:
            log.exception("worker_failed")
            sys.stderr.flush()
            os._exit(1)  # a thread that never ends would keep it alive, and nobody replaced it


async def _work(config: WorkerConfig, settings: Settings) -> None:
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _orphaned)
    if config.first:
        try:
            _send(await bootstrap(config, settings))
        except REFUSALS as error:
            _send(Refused(str(error)))
            return
    seat = Seat(config.dsn, Secret(config.secret), config.instance, config.slot, config.slots)
    async with assembled(settings, seat) as assembly:
        server = _Server(_config(settings, assembly))
        async with asyncio.TaskGroup() as tasks:
            told = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
            drain = tasks.create_task(_drain(told, assembly, server))
            with socket.socket(fileno=os.dup(config.socket)) as listener:
                await server.serve([listener])
            drain.cancel()


async def _drain(told: asyncio.Event, assembly: Assembly, server: uvicorn.Server) -> None:
    await told.wait()
    log.info("draining")
    await assembly.drain()
    server.should_exit = True


def _config(settings: Settings, assembly: Assembly) -> uvicorn.Config:
    @asynccontextmanager
    async def opening() -> AsyncGenerator[Services]:
        yield assembly.services

    return uvicorn.Config(
        create_app(rules(settings), opening),
        http=http_protocol(settings.server.header_timeout_s),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        timeout_keep_alive=int(settings.server.keepalive_s),
        timeout_graceful_shutdown=5,
        # Scheme and peer are what a configured proxy says; anybody else's headers are only theirs.
        proxy_headers=bool(settings.server.trusted_proxies),
        forwarded_allow_ips=list(settings.server.trusted_proxies),
    )


def _orphaned() -> None:
    """The parent says nothing after the configuration: input that ends means that it is gone."""
    if not os.read(sys.stdin.fileno(), 1):
        os._exit(1)


def _send(message: WorkerMessage) -> None:
    sys.stdout.buffer.write(worker_protocol.encode(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
