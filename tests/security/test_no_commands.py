"""Nothing that a caller sends is a program that this machine runs."""

import asyncio
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.harness.scenario import Scenario
from tests.security.cells import Asked, ask
from tests.security.frames import frame, replies, socket_of
from tests.security.owners import Owners
from tests.security.places import places
from tests.security.rules import RULES

_CONTRACT = Path(__file__).parents[2] / "frontend-contract"
_COMMAND = re.compile(r"(?i)^(commands?|cmd|args|argv|exec(utable)?|shell|program|stdio|env|cwd)$")
_ANSWERING = {
    "post_chat": "/api/chat",
    "create_chat_completion": "/v1/chat/completions",
    "create_response": "/v1/responses",
    "create_anthropic_message": "/v1/messages",
}
_TEXTS = ("; {}", "$({})", "`{}`", "| {}", "\n{}\n", "__import__('os').system({!r})", "{}")


def properties(schema: Any) -> Iterator[str]:
    """The names of all fields anywhere in a document."""
    if isinstance(schema, dict):
        for name, inner in schema.items():  # pyright: ignore[reportUnknownVariableType]
            if name == "properties":
                yield from inner
            yield from properties(inner)
    elif isinstance(schema, list):
        for inner in schema:  # pyright: ignore[reportUnknownVariableType]
            yield from properties(inner)


def processes(scenario: Scenario) -> set[str]:
    """The programs that run for the server, without the backends that PostgreSQL starts itself."""
    found: set[str] = set()
    for pid in scenario.server.tree.all:
        if psutil.pid_exists(pid):
            found.add(psutil.Process(pid).name())
    return found


def test_no_field_is_called_like_a_command() -> None:
    for name in ("openapi.json", "asyncapi.json"):
        document = json.loads((_CONTRACT / name).read_text())
        assert not [field for field in properties(document) if _COMMAND.fullmatch(field)]


def commanding(touch: str) -> Iterator[dict[str, Any]]:
    """Fields of a request by which other servers are told to run something."""
    program, *arguments = shlex.split(touch)
    server = {"command": program, "args": arguments, "transport": "stdio"}
    yield {"mcp_servers": {"x": server}}
    yield {"mcp_servers": [{"name": "x", "type": "stdio", **server}]}
    yield {"tools": [{"type": "mcp", "server_label": "x", **server}]}
    yield {"tools": [{"type": "local_shell"}], "tool_choice": "required"}
    yield {"tools": [{"type": "shell", "command": touch}]}
    yield {"tools": [{"type": "bash_20250124", "name": "bash"}]}
    yield {"tools": [touch], "metadata": {"command": touch}}
    yield {**server, "cmd": touch, "shell": True, "exec": touch}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A file that any process could make."""
    tmp_path.chmod(0o777)
    return tmp_path / "made"


def exists(path: Path) -> bool:
    return path.exists()


async def test_no_text_is_run(scenario: Scenario, owners: Owners, made: Path) -> None:
    """Neither in a field that is there, nor in one by which other servers start programs."""
    touch = shlex.join([sys.executable, "-c", f"open('{made}', 'w')"])
    before = processes(scenario)
    b = owners.strangers[0]
    texts = [text.format(touch) for text in _TEXTS]
    for number, place in enumerate(places()):
        if place.route.name not in ("close_session", "exchange_credential", "rotate_credential"):
            await ask(scenario, b, place.holding(texts[number % len(texts)], b.things))
    for fields in commanding(touch):
        for name, path in _ANSWERING.items():
            body = {**(RULES[name].body or {}), **fields}
            told = await ask(scenario, b, Asked("POST", path, body=body))
            assert told.status < 500 or told.status == 502, told
        async with socket_of(scenario, b) as socket:
            await replies(socket, frame("ChatFrame", **fields))
    assert not exists(made)
    assert processes(scenario) == before
    assert not scenario.server.unexpected_errors()
    run = await asyncio.create_subprocess_exec(*shlex.split(touch))
    await run.wait()
    assert exists(made)  # or this test would prove nothing
