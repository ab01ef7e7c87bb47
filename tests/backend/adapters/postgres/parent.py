"""A parent process for the tests, which runs a supervisor as commanded and can be killed.

Run as a script with one JSON argument; writes one JSON line per event to stdout, reads one command
per line from stdin.
"""

import importlib
import json
import os
import pwd
import signal
import sys
from pathlib import Path

import structlog

from cartrita.adapters.postgres import Binaries, DatabaseEndpoint, Supervisor
from cartrita.adapters.postgres.addresses import Address
from cartrita.adapters.postgres.errors import PostgresError
from cartrita.adapters.postgres.servers import ServerStatus, probe
from cartrita.adapters.postgres.subprocesses import ParentWatch


def write_event(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def answers(endpoint: DatabaseEndpoint) -> bool:
    """Whether a server accepts connections there."""
    return probe(Address(endpoint.host, endpoint.port)) is ServerStatus.READY


def interrupted(_signum: int, _frame: object) -> None:
    write_event(event="interrupted")


def become(name: str) -> None:
    entry = pwd.getpwnam(name)
    importlib.import_module("encodings.idna")  # later that user may not reach our Python
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def supervisor(order: dict[str, object]) -> Supervisor:
    chosen = order.get("binaries")
    watch = order.get("parent_watch")
    options: dict[str, object] = {"stop_timeout_s": order.get("stop_timeout_s", 30)}
    if isinstance(chosen, list):
        folder, major = chosen
        options["chosen"] = Binaries(Path(folder), int(major), "system", Path(folder).parent)
    if watch:
        options["parent_watch"] = ParentWatch(watch)
    if order.get("fallbacks"):
        options["fallbacks"] = [Path(str(order["fallbacks"]))]
    return Supervisor(Path(str(order["data_dir"])), **options)  # type: ignore[arg-type]


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    order = json.loads(sys.argv[1])
    os.umask(order.get("umask", 0o022))
    if order.get("become"):
        become(order["become"])
    signal.signal(signal.SIGINT, interrupted)
    supervised = supervisor(order)
    write_event(event="began")
    try:
        endpoint = supervised.start()
    except PostgresError as refusal:
        write_event(event="refused", kind=type(refusal).__name__, sentence=str(refusal))
        return
    write_event(event="started", pid=supervised.pid, dsn=endpoint.dsn(), host=endpoint.host)
    for command in map(str.strip, sys.stdin):
        if command == "poll":
            write_event(code=supervised.poll(), answers=answers(endpoint))
        elif command == "restart":
            supervised.restart()
            write_event(event="restarted", pid=supervised.pid)
        elif command == "stop":
            supervised.stop()
            write_event(event="stopped")
            return


if __name__ == "__main__":
    main()
