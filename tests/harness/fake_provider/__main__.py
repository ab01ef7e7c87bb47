"""Run the fake provider: `python -m tests.harness.fake_provider --port 0`."""

import argparse
import asyncio
import os
import resource
import select
import signal
import sys
import threading
from typing import get_args

from tests.harness.fake_provider.dialect import Service
from tests.harness.fake_provider.manners import Manner, Manners
from tests.harness.fake_provider.server import Server


def main() -> int:
    parser = argparse.ArgumentParser(prog="fake_provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="of the words it answers with")
    parser.add_argument(
        "--key", action="append", default=[], help="accepted; sk-faked if not given"
    )
    parser.add_argument("--no-key", action="store_true", help="ask for no key at all")
    parser.add_argument("--model", action="append", default=[], help="another model to know")
    parser.add_argument("--manners", choices=get_args(Manner), default="vendor", help="whose")
    parser.add_argument("--oauth", action="store_true", help="accept tokens of /oauth/token only")
    parser.add_argument("--keep", type=int, default=10_000, help="how many requests to remember")
    options = parser.parse_args()
    keys = [] if options.no_key else options.key or ["sk-faked"]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    service = Service(
        seed=options.seed,
        keys=keys,
        models=options.model,
        manners=Manners(options.manners),
        oauth=options.oauth,
    )
    return asyncio.run(_run(Server(service, keep=options.keep), options.port))


async def _run(server: Server, port: int) -> int:
    """Serve until told to stop; return 1 if anything went wrong that no script asked for."""
    stop = asyncio.Event()
    mishaps: list[str] = []
    loop = asyncio.get_running_loop()

    def note_mishap(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        mishaps.append(str(context["message"]))
        loop.default_exception_handler(context)

    loop.set_exception_handler(note_mishap)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    watch = threading.Thread(target=_watch, args=(os.getppid(), loop, stop), daemon=True)
    watch.start()
    await server.serve(port, stop, _tell)
    return 1 if mishaps else 0


def _tell(port: int) -> None:
    sys.stdout.write(f"listening on 127.0.0.1:{port}\n")
    sys.stdout.flush()


def _watch(parent: int, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when stdin ends or the parent is gone, so that no test leaves a process behind."""
    while os.getppid() == parent:
        if select.select([0], [], [], 0.5)[0] and not os.read(0, 4096):
            break
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    sys.exit(main())
