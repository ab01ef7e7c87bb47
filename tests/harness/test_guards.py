"""The guards report network access and a blocked loop, and nothing else."""

import socket
import time
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import pytest
from tests.harness import guards


@pytest.fixture(autouse=True)
def clear_violations() -> Iterator[None]:
    """These tests cause violations on purpose."""
    yield
    guards.violations.clear()


def product(source: str) -> Callable[..., Any]:
    """A function whose code claims to be the product's."""
    code: CodeType = compile(source, "/somewhere/cartrita/adapters/x.py", "exec")
    names: dict[str, Any] = {"time": time, "socket": socket}
    exec(code, names)
    found: Callable[..., Any] = names["run"]
    return found


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("0.0.0.0", 80)])
def test_remote_connection_is_a_violation(address: tuple[str, int]) -> None:
    with socket.socket() as connection, pytest.raises(guards.GuardViolation):
        connection.connect(address)
    assert guards.violations == [f"a connection to {address[0]} was tried"]


def test_name_lookup_is_a_violation() -> None:
    with pytest.raises(guards.GuardViolation):
        socket.getaddrinfo("example.org", 80)
    assert len(guards.violations) == 1


def test_lookup_of_an_invalid_name_fails() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nowhere.invalid", 80)
    assert guards.violations == []


def test_loopback_is_allowed() -> None:
    for host in ("127.0.0.1", "localhost", None, b"127.0.0.1"):
        assert socket.getaddrinfo(host, 80)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert guards.violations == []


async def test_product_code_blocking_the_loop_is_a_violation() -> None:
    with pytest.raises(guards.GuardViolation):
        product("def run():\n time.sleep(0)")()
    connecting = product("def run(connection):\n connection.connect(('127.0.0.1', 1))")
    with socket.socket() as connection, pytest.raises(guards.GuardViolation):
        connecting(connection)
    assert guards.violations == [
        "the event loop was blocked by time.sleep",
        "the event loop was blocked by a connection",
    ]


async def test_tests_may_block_the_loop() -> None:
    _wait()
    assert guards.violations == []


def _wait() -> None:
    time.sleep(0)


def test_product_code_may_block_outside_a_loop() -> None:
    product("def run():\n time.sleep(0)")()
    assert guards.violations == []
