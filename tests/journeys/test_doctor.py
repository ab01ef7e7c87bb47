"""`cartrita doctor` beside a server that runs, one that does not, and all that can be wrong."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.harness.command import PROGRAM
from tests.harness.external_postgres import ExternalPostgres
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server, free_port

Found = dict[str, dict[str, str]]
WATCHDOG_S = 120.0
CANARY = "canary-51b0c3-never-to-be-seen-0123456789"


async def doctor(
    server: Server, *arguments: str, settings: Mapping[str, str] | None = None
) -> tuple[int, Found]:
    """Its exit code and its findings by name; nothing else is written."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "doctor",
        "--json",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=server.root,
        env={**server.environment, **(settings or {})},
    )
    async with asyncio.timeout(WATCHDOG_S):
        out, err = await process.communicate()
    assert err == b"", err
    assert CANARY.encode() not in out
    assert KEY.encode() not in out
    told = json.loads(out)
    assert told["ok"] is (process.returncode == 0)
    return process.returncode or 0, {one["name"]: one for one in told["findings"]}


def statuses(found: Found) -> dict[str, str]:
    return {name: one["status"] for name, one in found.items()}


@pytest.fixture
def stopped(provider: FakeProvider) -> Iterator[Server]:
    """The place and the settings of a server that does not run."""
    server = Server(provider_url=provider.base_url)
    yield server
    assert server.wait_until_gone() == []
    shutil.rmtree(server.root, ignore_errors=True)


async def test_all_is_well_beside_the_server(scenario: Scenario) -> None:
    code, found = await doctor(scenario.server)
    assert code == 0, found
    for name in ("settings", "data directory", "disk", "migrations", "rights", "storage"):
        assert found[name]["status"] == "ok", found[name]
    assert "of the running server" in found["database"]["detail"]
    assert "serves at" in found[f"port {scenario.server.port}"]["detail"]
    assert "lists" in found["provider openai"]["detail"]
    assert found["clock (database)"]["status"] == "ok"
    assert scenario.server.ready()


async def test_a_person_gets_one_line_each(scenario: Scenario) -> None:
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "doctor",
        stdout=asyncio.subprocess.PIPE,
        cwd=scenario.server.root,
        env=scenario.server.environment,
    )
    out, _ = await asyncio.wait_for(process.communicate(), WATCHDOG_S)
    words = {line.split()[0] for line in out.decode().splitlines()}
    assert "ok" in words
    assert words <= {"ok", "warning"}


async def test_nothing_is_there_yet(stopped: Server) -> None:
    code, found = await doctor(stopped)
    assert code == 0, found
    assert "serve" in found["database"]["detail"]
    assert "is free" in found[f"port {stopped.port}"]["detail"]
    assert not stopped.data_dir.exists(), "a look makes nothing"


async def test_a_server_that_has_stopped(serve: Any) -> None:
    scenario: Scenario = serve()
    scenario.server.stop()
    code, found = await doctor(scenario.server)
    assert code == 0, found
    assert "in the data directory" in found["database"]["detail"]
    assert found["migrations"]["status"] == "ok"
    assert scenario.server.wait_until_gone() == []


async def test_wrong_settings_are_findings(stopped: Server) -> None:
    settings = {"CARTRITA_PORT": "many", "CARTRITA_LOG_LEVELS": "sqlalchemy=debug"}
    code, found = await doctor(stopped, settings=settings)
    assert code == 1
    assert found["settings"]["status"] == "problem"


async def test_prices_that_the_server_would_refuse(stopped: Server) -> None:
    settings = {"CARTRITA_LEDGER_PRICES": "prices.toml"}
    code, found = await doctor(stopped, settings=settings)
    assert code == 1
    assert "ledger.prices: prices.toml cannot be read: no such file" in found["prices"]["detail"]
    assert "CARTRITA_LEDGER_PRICES" in found["prices"]["fix"]


async def test_a_way_to_call_it_that_does_not_exist(stopped: Server) -> None:
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "doctor",
        "--url",
        "chat.example.com",
        stderr=asyncio.subprocess.PIPE,
        cwd=stopped.root,
        env=stopped.environment,
    )
    _, err = await asyncio.wait_for(process.communicate(), WATCHDOG_S)
    assert process.returncode == 2
    assert b"https://chat.example.com" in err


async def test_a_port_of_somebody_else(stopped: Server) -> None:
    with socket.socket() as other:
        other.bind((HOST, stopped.port))
        other.listen()
        code, found = await doctor(stopped, "--timeout", "1")
    assert code == 1
    assert "CARTRITA_PORT" in found[f"port {stopped.port}"]["fix"]


async def test_a_database_that_is_away(stopped: Server) -> None:
    url = f"postgresql://ada:{CANARY}@{HOST}:{free_port()}/ada"
    code, found = await doctor(stopped, settings={"CARTRITA_DATABASE_URL": url})
    assert code == 1
    assert "CARTRITA_DATABASE_URL" in found["database"]["detail"]
    assert found["provider openai"]["status"] == "ok", "the rest is looked at even so"


@pytest.fixture
def outside() -> Iterator[ExternalPostgres]:
    with ExternalPostgres(max_connections=20) as running:
        yield running


async def test_an_old_schema_and_missing_rights(stopped: Server, outside: ExternalPostgres) -> None:
    settings = {"CARTRITA_DATABASE_URL": outside.dsn, "CARTRITA_WORKERS": "4"}
    _, found = await doctor(stopped, settings=settings)
    assert found["migrations"]["status"] == "warning"
    assert found["connections"]["status"] == "problem"
    await migrated(stopped, settings)
    _, found = await doctor(stopped, settings=settings)
    assert found["migrations"]["status"] == "ok"
    await execute(
        outside.dsn,
        "UPDATE alembic_version SET version_num = '0017'",
        "REVOKE DELETE ON conversations FROM CURRENT_USER",
    )
    code, found = await doctor(stopped, settings=settings)
    assert code == 1
    assert "cartrita migrate" in found["migrations"]["fix"]
    assert found["rights"]["status"] == "problem"
    assert "conversations" in found["rights"]["detail"]


async def execute(dsn: str, *statements: str) -> None:
    connection: Any = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def migrated(server: Server, settings: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "migrate",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=server.root,
        env={**server.environment, **settings},
    )
    assert await asyncio.wait_for(process.wait(), WATCHDOG_S) == 0


async def test_another_secret(serve: Any) -> None:
    scenario: Scenario = serve()
    code, found = await doctor(scenario.server, settings={"CARTRITA_SECRET": "another-" * 6})
    assert code == 1
    assert "CARTRITA_SECRET" in found["secret"]["fix"]


async def test_a_provider_that_refuses_the_key(stopped: Server) -> None:
    code, found = await doctor(stopped, settings={"OPENAI_API_KEY": CANARY})
    assert code == 1
    assert found["provider openai"]["status"] == "problem"
    assert "key" in found["provider openai"]["fix"]


async def test_a_provider_that_is_away_or_silent(stopped: Server) -> None:
    async with stand_in(silent) as port:
        (stopped.root / "cartrita.toml").write_text(
            f'[providers.mute]\nbase_url = "http://{HOST}:{port}/v1"\n'
            f'[providers.gone]\nbase_url = "http://{HOST}:{free_port()}/v1"\n'
        )
        code, found = await doctor(stopped, "--timeout", "1")
    assert code == 1
    assert found["provider mute"]["status"] == "problem"
    assert found["provider gone"]["status"] == "problem"
    assert found["provider openai"]["status"] == "ok"


async def test_a_default_model_that_is_not_listed(stopped: Server, provider: FakeProvider) -> None:
    (stopped.root / "cartrita.toml").write_text(
        f'[providers.own]\nbase_url = "{provider.base_url}"\ndefault_model = "of-long-ago"\n'
    )
    _, found = await doctor(stopped, settings={"OWN_API_KEY": "sk-of-the-fake-provider"})
    assert found["provider own"]["status"] == "warning"
    assert "of-long-ago" in found["provider own"]["detail"]


async def test_a_clock_that_is_wrong(stopped: Server) -> None:
    async with stand_in(dated("Mon, 30 Nov 2020 12:00:00 GMT")) as port:
        settings = {"OPENAI_BASE_URL": f"http://{HOST}:{port}/v1"}
        code, found = await doctor(stopped, settings=settings)
    assert code == 1
    assert found["clock (provider)"]["status"] == "problem"
    assert "behind" in found["clock (provider)"]["detail"]


async def test_files_that_cannot_be_kept(stopped: Server, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.write_text("a file")
    code, found = await doctor(stopped, settings={"CARTRITA_FILES_STORAGE": str(place)})
    assert code == 1
    assert found["storage"]["status"] == "problem"
    good = {"CARTRITA_FILES_STORAGE": str(tmp_path / "good")}
    _, found = await doctor(stopped, settings=good)
    assert found["storage"]["status"] == "ok"
    assert not [each for each in os.listdir(tmp_path / "good") if each.startswith("doctor")]


@pytest.mark.parametrize(
    ("health", "projects", "status"),
    [(200, 200, "ok"), (200, 401, "problem"), (503, 200, "problem"), (200, 500, "problem")],
)
@pytest.mark.parametrize("version", ["4.59.0", "10.1.2", ""])
async def test_langfuse(
    stopped: Server, health: int, projects: int, status: str, version: str
) -> None:
    seen: list[str] = []
    async with stand_in(langfuse(health, projects, seen, version)) as port:
        _, found = await doctor(stopped, settings=langfuse_at(port))
    assert found["langfuse"]["status"] == status
    assert any("/api/public/projects" in each and "basic" in each.lower() for each in seen)


PAGE = b"<html>Sign in</html>"
HEALTH = b'{"status": "OK", "version": "4.70.0"}'


@pytest.mark.parametrize(
    ("health", "projects"),
    [
        (PAGE, PAGE),
        (b"{}", b"{}"),
        (b"[]", b"[]"),
        (b"null", b"null"),
        (b"\x1f\x8bno gzip", b"\x1f\x8bno gzip"),
        (b"[" * 100_000, b"[" * 100_000),
        (HEALTH, PAGE),
        (HEALTH, b"{}"),
        (b"{}", b'{"data": []}'),
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_what_answers_is_no_langfuse(stopped: Server, health: bytes, projects: bytes) -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        body = health if b"/api/public/health" in request else projects
        writer.write(f"HTTP/1.1 200 X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    async with stand_in(answer) as port:
        code, found = await doctor(stopped, settings=langfuse_at(port))
    assert code == 1
    assert found["langfuse"]["status"] == "problem"
    assert "no Langfuse" in found["langfuse"]["detail"]
    assert "LANGFUSE_BASE_URL" in found["langfuse"]["fix"]


async def test_a_langfuse_that_is_too_old(stopped: Server) -> None:
    async with stand_in(langfuse(200, 200, [], "3.140.1")) as port:
        code, found = await doctor(stopped, settings=langfuse_at(port))
    assert code == 1
    assert "3.140" in found["langfuse"]["detail"]
    assert "4.59" in found["langfuse"]["fix"]


async def test_langfuse_that_is_away(stopped: Server) -> None:
    code, found = await doctor(stopped, settings=langfuse_at(free_port()))
    assert code == 1
    assert "LANGFUSE_BASE_URL" in found["langfuse"]["fix"]


@pytest.mark.parametrize(
    ("answered", "status", "says"),
    [
        (200, "ok", "/v1/traces"),
        (202, "ok", "/v1/traces"),
        (301, "problem", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (400, "warning", "traces_not_taken"),
        (401, "problem", "OTEL_EXPORTER_OTLP_HEADERS"),
        (404, "problem", "/v1/traces"),
        (503, "problem", "is well"),
    ],
)
async def test_a_collector(stopped: Server, answered: int, status: str, says: str) -> None:
    seen: list[bytes] = []
    async with stand_in(refusing(seen, answered)) as port:
        _, found = await doctor(stopped, settings=collector_at(port))
    assert found["collector"]["status"] == status
    assert says in " ".join(found["collector"].values())
    (request,) = seen
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/traces ")
    assert b"content-type: application/x-protobuf" in head.lower()
    assert f"authorization: bearer {CANARY}".encode() in head.lower()
    assert body == b""


async def test_a_page_where_a_collector_should_be(stopped: Server) -> None:
    async def page(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n")

    async with stand_in(page) as port:
        code, found = await doctor(stopped, settings=collector_at(port))
    assert code == 1
    assert "no collector" in found["collector"]["fix"]


async def test_a_collector_that_is_away_or_not_wanted(stopped: Server) -> None:
    code, found = await doctor(stopped, settings=collector_at(free_port()))
    assert code == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in found["collector"]["fix"]
    _, found = await doctor(stopped)
    assert "collector" not in found


async def test_chunks_that_arrive_as_they_are_sent(scenario: Scenario) -> None:
    _, found = await doctor(scenario.server, "--url", scenario.server.base)
    assert found["stream"]["status"] == "ok", found["stream"]


async def test_the_bootstrap_key_goes_to_no_other_host(scenario: Scenario) -> None:
    seen: list[bytes] = []
    async with stand_in(refusing(seen)) as port:
        url = f"http://0.0.0.0:{port}"  # leads here too, and is no loopback address
        _, found = await doctor(scenario.server, "--url", url)
        own = {"CARTRITA_CLIENT_KEY": CANARY}
        _, told = await doctor(scenario.server, "--url", url, settings=own)
        await doctor(scenario.server, "--url", f"http://{HOST}:{port}")
    bare, given, loopback = seen
    assert KEY.encode() not in bare
    assert b"authorization:" not in bare.lower()
    assert "without a key" in found["stream"]["detail"]
    assert "CARTRITA_CLIENT_KEY" in found["stream"]["fix"]
    assert CANARY.encode() in given
    assert "without a key" not in told["stream"]["detail"]
    assert KEY.encode() in loopback


async def test_a_proxy_that_holds_chunks(scenario: Scenario) -> None:
    async with stand_in(holding(scenario.server.port)) as port:
        code, found = await doctor(scenario.server, "--url", f"http://{HOST}:{port}/")
    assert code == 1
    assert found["stream"]["status"] == "problem"
    assert "proxy_buffering off" in found["stream"]["fix"]


async def test_an_address_that_refuses_or_leads_elsewhere(scenario: Scenario) -> None:
    wrong = {"CARTRITA_CLIENT_KEY": CANARY}
    _, found = await doctor(scenario.server, "--url", scenario.server.base, settings=wrong)
    assert "CARTRITA_CLIENT_KEY" in found["stream"]["fix"]
    async with stand_in(dated("Mon, 30 Nov 2020 12:00:00 GMT")) as port:
        _, found = await doctor(scenario.server, "--url", f"http://{HOST}:{port}")
    assert found["stream"]["status"] == "problem"
    gone = f"http://{HOST}:{free_port()}"
    _, found = await doctor(scenario.server, "--url", gone)
    assert found["stream"]["status"] == "problem"


@asynccontextmanager
async def stand_in(answer: Any) -> AsyncGenerator[int]:
    """A server of ours on a free port; `answer` gets each request as bytes, and a writer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            found = [line for line in head.lower().split(b"\r\n") if b"content-length:" in line]
            body = await reader.readexactly(int(found[0].split(b":")[1])) if found else b""
            await answer(head + body, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def silent(_: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(WATCHDOG_S)


def refusing(seen: list[bytes], status: int = 401) -> Any:
    """Nobody has a right key there, or what else a status says."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}".encode())

    return answer


def dated(date: str) -> Any:
    """A server of models by this clock."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        body = b'{"object": "list", "data": [{"id": "m", "object": "model"}]}'
        writer.write(
            f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )

    return answer


def langfuse_at(port: int) -> dict[str, str]:
    return {
        "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
        "LANGFUSE_SECRET_KEY": CANARY,
        "LANGFUSE_BASE_URL": f"http://{HOST}:{port}",
    }


def collector_at(port: int) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{port}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{CANARY}",
    }


def langfuse(health: int, projects: int, seen: list[str], version: str) -> Any:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request.decode())
        if b"/api/public/health" in request:
            status, told = health, {"status": "OK", "version": version}
        else:
            status, told = projects, {"data": [{"id": "p-1", "name": "Tests"}]}
        body = json.dumps(told)
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    return answer


def holding(port: int) -> Any:
    """A proxy that passes an answer on when it has the whole of it."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection")]
        reader, upstream = await asyncio.open_connection(HOST, port)
        upstream.write(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
        held = await reader.read(-1)
        upstream.close()
        writer.write(held)

    return answer
