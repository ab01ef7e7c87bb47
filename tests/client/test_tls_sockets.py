"""TLS that one thread reads while another writes: nothing is lost, and nobody waits for ever."""

import random
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.client.certificates import self_signed

from cartrita_client.tls_sockets import SharedTlsSocket

_SEED = 20261130
_RECORDS = 30
_SESSIONS = 100
_WATCHDOG_S = 60.0


def many_tickets(folder: Path) -> ssl.SSLContext:
    """What a server needs to send so much after its handshake that a reader is busy with it."""
    context = self_signed(folder)
    context.num_tickets = 40
    return context


Ends: TypeAlias = tuple[SharedTlsSocket, SharedTlsSocket]


@pytest.fixture
def opened(tmp_path: Path) -> Generator[Callable[[], Ends]]:
    """Both ends of new TLS sessions, of whose tickets the first has read none yet."""
    with ExitStack() as closing, ThreadPoolExecutor(1) as other:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        serving = many_tickets(tmp_path)

        def make() -> Ends:
            here, there = socket.socketpair()
            answered = other.submit(serving.wrap_socket, there, server_side=True)
            asked = trusting.wrap_socket(here)
            made = SharedTlsSocket(asked), SharedTlsSocket(answered.result(_WATCHDOG_S))
            for each in made:
                closing.callback(each.close)
            return made

        yield make


def parts_of(seed: int) -> list[bytes]:
    """What is written as many records, most of them small."""
    chance = random.Random(seed)
    return [chance.randbytes(chance.choice([1, 7, 300, 5000])) for _ in range(_RECORDS)]


def write(end: SharedTlsSocket, parts: list[bytes]) -> None:
    """Write each by itself."""
    for part in parts:
        end.sendall(part)


def read(end: SharedTlsSocket, size: int) -> bytes:
    """So many bytes, or what came before the end."""
    heard = bytearray()
    while len(heard) < size and (part := end.recv(65536)):
        heard += part
    return bytes(heard)


def test_both_directions_at_once_lose_nothing(opened: Callable[[], Ends]) -> None:
    """Above all while the first of them reads tickets."""
    asked, answered = parts_of(_SEED), parts_of(_SEED + 1)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(_SESSIONS):
            here, there = opened()
            heard = [
                threads.submit(read, there, len(b"".join(asked))),
                threads.submit(read, here, len(b"".join(answered))),
            ]
            said = [threads.submit(write, here, asked), threads.submit(write, there, answered)]
            for each in said:
                each.result(_WATCHDOG_S)
            assert heard[0].result(_WATCHDOG_S) == b"".join(asked), f"seed {_SEED}"
            assert heard[1].result(_WATCHDOG_S) == b"".join(answered), f"seed {_SEED}"


def test_who_reads_learns_that_it_was_closed_here(opened: Callable[[], Ends]) -> None:
    """Whether they wait already, or are about to."""
    for _ in range(10):
        here, there = opened()
        there.sendall(b"so far")
        heard = threading.Event()

        def reads(here: SharedTlsSocket = here, heard: threading.Event = heard) -> bytes:
            assert here.recv(100) == b"so far"
            heard.set()
            try:
                return here.recv(100)
            except OSError:
                return b""

        with ThreadPoolExecutor(1) as thread:
            reading = thread.submit(reads)
            assert heard.wait(_WATCHDOG_S)
            here.close()
            assert reading.result(_WATCHDOG_S) == b""


def test_a_write_that_nobody_takes_ends_in_time(opened: Callable[[], Ends]) -> None:
    here, _ = opened()
    here.settimeout(0.05)
    with pytest.raises(TimeoutError, match="no more bytes"):
        here.sendall(bytes(1 << 26))


def test_what_is_closed_takes_nothing(opened: Callable[[], Ends]) -> None:
    here, there = opened()
    there.sendall(b"before")
    assert here.recv(100) == b"before"
    here.close()
    with pytest.raises(OSError, match="descriptor"):
        here.sendall(b"after")
    with pytest.raises(OSError, match="descriptor"):
        here.recv(100)
    assert here.fileno() == -1
