"""The pool of workers, with small programs in their place: they die when and how a test says."""

import socket
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import uuid4

from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.cli.server.worker_messages import Serving, WorkerConfig
from cartrita.cli.server.worker_pool import WorkerPool

WATCHDOG_S = 60.0
DIES = "raise SystemExit(3)"
SERVES = """
import sys
sys.stdin.buffer.readline()
for part in ('{"type":', '"serving"}', '\\n'):
    sys.stdout.write(part)
    sys.stdout.flush()
sys.stdin.buffer.read()
"""
"""In pieces, as a pipe may deliver it."""
SERVES_AND_DIES = SERVES.replace("sys.stdin.buffer.read()", "raise SystemExit(3)")
LONG = "x" * (1 << 20)
"""More than a pipe holds: writing it to a dead process fails for certain."""


@contextmanager
def pool_of(program: str, *, size: int = 1, pause_s: float = 0.0) -> Generator[WorkerPool]:
    with socket.socket() as listener:
        command = (sys.executable, "-c", program)
        pool = WorkerPool(size, [listener.fileno()], command=command, pause_s=pause_s)
        try:
            yield pool
        finally:
            pool.stop(WATCHDOG_S)


def config(slot: int, settings: str = "{}") -> WorkerConfig:
    return WorkerConfig(
        settings=settings,
        dsn="",
        secret="",
        slot=WorkerSlot(uuid4(), slot, 1),
        sockets=(0,),
        first=False,
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WATCHDOG_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_that_died_at_once_can_be_configured() -> None:
    with pool_of(DIES) as pool:
        until(lambda: pool.dead() == [0])
        pool.configure(0, config(0, LONG))
        assert pool.replace([0]) == [0]


def test_a_replacement_waits_for_its_time_without_holding_up_the_others() -> None:
    with pool_of(DIES, size=2, pause_s=3600) as pool:
        until(lambda: pool.dead() == [0, 1])
        began = time.monotonic()
        assert pool.replace([0, 1]) == []
        assert pool.replace([0, 1]) == []  # and is not counted twice
        assert time.monotonic() - began < 600
        assert pool.failed_starts == 2


def test_starts_that_fail_are_counted_until_one_serves() -> None:
    with pool_of(DIES) as pool:
        for number in range(1, 6):
            until(lambda: pool.dead() == [0])
            assert pool.replace([0]) == [0]
            assert pool.failed_starts == number


def test_what_served_before_it_died_has_not_failed_to_start() -> None:
    with pool_of(SERVES_AND_DIES) as pool:
        pool.configure(0, config(0))
        until(lambda: (0, Serving()) in list(pool.listen(0.1)))
        until(lambda: pool.dead() == [0])
        pool.replace([0])
        assert pool.failed_starts == 0


def test_a_pool_that_stops_leaves_nobody() -> None:
    with pool_of(SERVES, size=2) as pool:
        for slot in range(2):
            pool.configure(slot, config(slot))
        slots: list[int] = []
        until(lambda: slots.extend(s for s, _ in pool.listen(0.1)) or len(slots) == 2)
        pool.stop(WATCHDOG_S)
        assert pool.dead() == [0, 1]
