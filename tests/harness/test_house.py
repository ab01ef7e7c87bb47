"""The watch over the house's laws sees what breaks them, and nothing else."""

import socket
import time
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import pytest
from tests.harness import house


@pytest.fixture(autouse=True)
def forgiven() -> Iterator[None]:
    """These tests break laws on purpose."""
    yield
    house.broken.clear()


def product(source: str) -> Callable[..., Any]:
    """A function as if it stood in the product's code."""
    code: CodeType = compile(source, "/somewhere/cartrita/adapters/x.py", "exec")
    names: dict[str, Any] = {"time": time, "socket": socket}
    exec(code, names)
    found: Callable[..., Any] = names["run"]
    return found


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("0.0.0.0", 80)])
def test_no_connection_leaves_this_machine(address: tuple[str, int]) -> None:
    with socket.socket() as connection, pytest.raises(house.LawBroken):
        connection.connect(address)
    assert house.broken == [f"a connection to {address[0]} was tried"]


def test_no_name_is_looked_up() -> None:
    with pytest.raises(house.LawBroken):
        socket.getaddrinfo("example.org", 80)
    assert len(house.broken) == 1


def test_a_name_that_cannot_exist_does_not() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nowhere.invalid", 80)
    assert house.broken == []


def test_this_machine_may_be_asked() -> None:
    for host in ("127.0.0.1", "localhost", None, b"127.0.0.1"):
        assert socket.getaddrinfo(host, 80)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert house.broken == []


async def test_the_product_does_not_block_the_loop() -> None:
    with pytest.raises(house.LawBroken):
        product("def run():\n time.sleep(0)")()
    connecting = product("def run(connection):\n connection.connect(('127.0.0.1', 1))")
    with socket.socket() as connection, pytest.raises(house.LawBroken):
        connecting(connection)
    assert house.broken == [
        "the event loop was blocked by time.sleep",
        "the event loop was blocked by a connection",
    ]


async def test_tests_may_wait_as_they_like() -> None:
    _wait()
    assert house.broken == []


def _wait() -> None:
    time.sleep(0)


def test_the_product_may_wait_outside_the_loop() -> None:
    product("def run():\n time.sleep(0)")()
    assert house.broken == []
