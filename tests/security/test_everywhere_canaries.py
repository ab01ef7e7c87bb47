"""Forty planted secrets show in nothing that a server, its commands and its crashes leave."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.harness.command import PROGRAM
from tests.harness.evidence import AWAY
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.security.canaries import Canaries
from tests.security.test_canaries import call_providers, dump, force_errors, told

WATCHDOG_S = 120.0
PRIVATE = {"secret", "postgres.password"}
"""The files of the data directory that hold a secret, for the server's user alone."""

LEAKY_TOOLS = """
import os, sys
told = " ".join(f"{name}={value}" for name, value in os.environ.items())
print(told, file=sys.stderr, flush=True)
print(told, flush=True)
sys.exit(told)
"""
VARIABLES = (
    "CARTRITA_BOOTSTRAP_KEY",
    "CARTRITA_SECRET",
    "CARTRITA_CREDENTIALS_SECRET",
    "CARTRITA_CREDENTIALS_PREVIOUS_SECRET",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GROQ_API_KEY",
    "DEEPGRAM_API_KEY",
    "TAVILY_API_KEY",
    "BRAVE_API_KEY",
    "GITHUB_API_KEY",
    "LANGFUSE_SECRET_KEY",
    "COMPANY_CLIENT_SECRET",
    "TOOLS_TOKEN",
)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def upstream(canaries: Canaries) -> Iterator[FakeProvider]:
    """A provider that accepts the planted key."""
    key = canaries.plant("OPENAI_API_KEY")
    with fake_provider(seed=7, key=PROVIDER_KEY, more_keys=[key]) as running:
        yield running


@pytest.fixture
def running(upstream: FakeProvider, canaries: Canaries, tmp_path: Path) -> Iterator[Scenario]:
    """A server that has secrets in all places where an operator puts some."""
    secrets = {name: canaries.plant(name) for name in VARIABLES if name != "OPENAI_API_KEY"}
    settings = {
        **secrets,
        "OPENAI_API_KEY": canaries.planted["OPENAI_API_KEY"],
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "GROQ_BASE_URL": upstream.base_url,
        "LANGFUSE_PUBLIC_KEY": "pk-lf-0",
        "LANGFUSE_HOST": "http://127.0.0.1:9",
        "CARTRITA_LOG_LEVEL": "debug",
        "CARTRITA_LOG_LEVELS": "sqlalchemy=info,uvicorn=info",
        "CARTRITA_LOG_FILE": str(tmp_path / "cartrita.log"),
        "CARTRITA_LOG_FILE_MAX_BYTES": "65536",
        "CARTRITA_LOG_FILE_COUNT": "1000",
        "CARTRITA_MCP_PRIVATE_HOSTS": HOST,
        "PYTHONFAULTHANDLER": "1",  # as operators may switch it on
    }
    server = Server(provider_url=upstream.base_url, settings=settings)
    in_file = {name: canaries.plant(f"the settings file: {name}") for name in ("env", "header")}
    (server.root / "cartrita.toml").write_text(
        f"""
[mcp.leaky]
command = ["{sys.executable}", "-c", '''{LEAKY_TOOLS}''']
env = {{ LEAKY_PASSWORD = "{in_file["env"]}" }}
pass_env = ["TOOLS_TOKEN"]

[mcp.away]
url = "http://{HOST}:9/mcp"
headers = {{ X-Own = "{in_file["header"]}" }}
token_env = "TOOLS_TOKEN"

[providers.company]
base_url = "{upstream.base_url}"
default_model = "fake"

[providers.company.oauth]
token_url = "http://{HOST}:9/token"
client_id_env = "LANGFUSE_PUBLIC_KEY"
client_secret_env = "COMPANY_CLIENT_SECRET"

[agents.librarian]
description = "Finds notes."
instructions = "Keep notes."
tools = ["leaky__*", "away__*"]
"""
    )
    with server:
        yield Scenario(server, upstream)


async def provoke_upstream(scenario: Scenario, key: str, secret: str) -> list[str]:
    """What callers are told while the provider repeats the key that it was sent."""
    answers: list[str] = []
    error = {"message": f"No: Bearer {secret}", "code": secret, "type": secret, "param": secret}
    for status in (400, 401, 429, 500):
        fault = ReplacedResponse(status=status, body=json.dumps({"error": error}))
        scenario.provider.script(Script(faults=(fault,)), default=True)
        answers += await call_providers(scenario, key)
    scenario.provider.reset()
    return answers


async def told_by_commands(scenario: Scenario, folder: Path) -> AsyncIterator[tuple[str, str]]:
    """What each command prints, with what goes wrong in some of them."""
    server = scenario.server
    backup = folder / "all.backup"
    away = {"CARTRITA_DATABASE_URL": f"postgresql://a:{server.environment['CARTRITA_SECRET']}@/x"}
    commands: list[tuple[str, Mapping[str, str]]] = [
        ("doctor", {}),
        ("doctor --json --timeout 2", {}),
        (f"doctor --url {server.base}", {}),
        ("doctor", {"CARTRITA_SECRET": server.environment["OPENAI_API_KEY"]}),
        ("doctor", {"OPENAI_API_KEY": server.environment["GROQ_API_KEY"]}),
        ("doctor", {**away, "CARTRITA_DATABASE_CONNECT_TIMEOUT_S": "2"}),
        ("doctor", {"CARTRITA_PORT": server.environment["OPENAI_API_KEY"]}),
        ("serve", {}),
        ("serve", {"CARTRITA_NOTHING": server.environment["OPENAI_API_KEY"]}),
        ("providers list", {}),
        ("providers check --full", {}),
        ("keys list", {}),
        ("credentials list", {}),
        ("users list", {}),
        ("budgets show user local", {}),
        (f"backup {backup}", {}),
        (f"backup {backup}", {}),  # which is there by now
        (f"contract --into {folder}", {}),
    ]
    for command, settings in commands:
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *command.split(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=server.root,
            env={**server.environment, **settings},
        )
        async with asyncio.timeout(WATCHDOG_S):
            out, _ = await process.communicate()
        yield command, out.decode("utf-8", "replace")
    listing = await asyncio.create_subprocess_exec(
        "tar", "-tvf", str(backup), stdout=asyncio.subprocess.PIPE
    )
    yield "the listing of a backup", (await listing.communicate())[0].decode()


async def exports(scenario: Scenario, key: str) -> list[str]:
    """What people and administrators take out of it."""
    headers = {"X-API-Key": key}
    listed = await told(scenario, "GET", "/api/conversations?limit=100", headers)
    ids = [each["id"] for each in json.loads(listed[listed.index('{"items"') :])["items"]]
    paths = [
        f"/api/conversations/{each}/export?format={form}" for each in ids[:5] for form in FORMS
    ]
    paths += ["/openapi.json", "/docs", "/ready", "/api/usage", "/api/me", "/api/agents"]
    paths += ["/api/admin/audit?limit=100", "/api/admin/keys", "/api/admin/users", "/api/budgets"]
    return [listed, *[await told(scenario, "GET", path, headers) for path in paths]]


FORMS = ("json", "markdown")


def files_left(scenario: Scenario, *folders: Path) -> Iterator[tuple[str, str]]:
    """All files but those of the database, which `dump` reads, and the two that hold secrets."""
    for folder in (scenario.server.root, *folders):
        for path in sorted(folder.rglob("*")):
            own = path.name in PRIVATE or path.name == "cartrita.toml" or path.suffix == ".backup"
            if path.is_file() and not own and "postgres" not in path.parts:
                yield str(path), path.read_bytes().decode("utf-8", "replace")


async def metrics(scenario: Scenario, key: str) -> list[str]:
    """What is scraped."""
    return [await told(scenario, "GET", "/metrics", {"X-API-Key": key})]


@pytest.mark.slow
async def test_forty_secrets_show_nowhere(
    running: Scenario, canaries: Canaries, tmp_path: Path
) -> None:
    key = canaries.planted["CARTRITA_BOOTSTRAP_KEY"]
    shown = {
        f"answer {n}": text for n, text in enumerate(await force_errors(running, canaries, key))
    }
    assert len(canaries.planted) >= 40
    repeated = await provoke_upstream(running, key, canaries.planted["OPENAI_API_KEY"])
    shown |= {f"call {n}": text for n, text in enumerate(repeated)}
    shown |= {f"export {n}": text for n, text in enumerate(await exports(running, key))}
    shown |= {f"metrics {n}": text for n, text in enumerate(await metrics(running, key))}
    folder = tmp_path / "commands"
    folder.mkdir()
    async for command, text in told_by_commands(running, folder):
        shown[command] = shown.get(command, "") + text
    shown["database"] = await dump(running)
    await crash(running)
    shown["database, after a crash"] = await dump_when_back(running)
    running.server.stop()
    left = dict(files_left(running, tmp_path))
    assert any("Fatal Python error: Aborted" in text for text in left.values()), "it was dumped"
    assert any(name.endswith("cartrita.log.1") for name in left), "the file was rotated"
    for where, text in (shown | left).items():
        assert not canaries.found(text), where


async def crash(scenario: Scenario) -> None:
    """Abort the worker and kill the database, with requests under way."""
    key = scenario.server.environment["CARTRITA_BOOTSTRAP_KEY"]
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    body = json.dumps({"message": "x", "model": "openai/fake"}).encode()
    asked = [told(scenario, "POST", "/api/chat", headers, body) for _ in range(4)]
    (worker,) = scenario.server.tree.workers
    answers = asyncio.gather(*asked, return_exceptions=True)
    await asyncio.sleep(0)
    os.kill(worker, signal.SIGABRT)
    await answers
    await eventually(lambda: asyncio.to_thread(ready_again, scenario, worker))
    scenario.server.kill("postgres")
    await asyncio.gather(*asked_again(scenario, headers, body), return_exceptions=True)


def ready_again(scenario: Scenario, dead: int) -> bool:
    """Whether another worker than the dead one serves."""
    return dead not in scenario.server.tree.workers and scenario.server.ready()


async def dump_when_back(scenario: Scenario) -> str:
    """The rows of a database that was killed, once it answers again."""

    async def look() -> str | None:
        with suppress(*AWAY):
            return await dump(scenario)
        return None

    return await eventually(look)


def asked_again(scenario: Scenario, headers: Mapping[str, str], body: bytes) -> Any:
    return [told(scenario, "POST", "/api/chat", headers, body) for _ in range(4)]


@pytest.mark.parametrize(
    "leak",
    [
        "import structlog; structlog.get_logger('x').info('asked', note={secret!r})",
        "import logging; logging.getLogger('some').warning('sent %s', {secret!r})",
        "raise RuntimeError({secret!r})",
        "import faulthandler, os; faulthandler.enable(); os.abort()",
    ],
)
def test_a_planted_leak_would_be_seen(leak: str) -> None:
    """Of these only the last one shows nothing: a dump has places and no values."""
    import subprocess

    canaries = Canaries()
    program = f"from cartrita import logs; logs.configure('debug', 'json'); {leak}"
    code = program.replace("{secret!r}", repr(canaries.plant("a value")))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert bool(canaries.found(done.stderr)) == ("os.abort" not in leak), done.stderr
