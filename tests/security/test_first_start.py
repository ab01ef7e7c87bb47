"""A first start is open to this machine only, and says its key once."""

import json
import re
from collections.abc import Iterator

import psutil
import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.server import Server
from tests.security.routes import ask

SHOWN = re.compile(r"ck_[0-9a-f]{16}_[0-9a-f]{48}_[0-9a-f]{8}")

LOOKING = {
    "calculator",
    "delegate",
    "github_search",
    "read_file",
    "search_conversations",
    "search_files",
    "web_fetch",
    "web_search",
}


class Unconfigured(Server):
    """A server that is told nothing but where to put its files, and which port to take."""

    @property
    def environment(self) -> dict[str, str]:
        kept = {"CARTRITA_PORT", "CARTRITA_DATA_DIR", "CARTRITA_DISCOVER_LOCAL"}
        told = super().environment
        return {
            name: value
            for name, value in told.items()
            if name in kept or not name.startswith(("CARTRITA_", "OPENAI_"))
        }


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Unconfigured]:
    with Unconfigured(provider_url=provider.base_url, first=True) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def key(server: Unconfigured) -> str:
    """What the first start has shown."""
    [key] = shown(server)
    return key


def shown(server: Server) -> list[str]:
    return SHOWN.findall(server.log_path.read_text())


async def test_the_key_is_shown_once_and_works(server: Unconfigured, key: str) -> None:
    assert (await ask(server.port, "GET", "/api/me", {"X-API-Key": key}))[0] == 200
    assert (await ask(server.port, "GET", "/api/me"))[0] == 401
    server.stop()
    server.restart()
    assert shown(server) == []
    assert (await ask(server.port, "GET", "/api/me", {"X-API-Key": key}))[0] == 200


def test_only_this_machine_is_listened_to(server: Unconfigured) -> None:
    tree = server.tree
    listened = {
        connection.laddr.ip
        for pid in tree.all
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listened == {"127.0.0.1"}


def test_its_files_are_for_their_owner_only(server: Unconfigured) -> None:
    """Except the one with the address, which is for whoever looks for the server."""
    modes = {path.name: path.stat().st_mode for path in server.data_dir.iterdir() if path.is_file()}
    assert len(modes) > 3
    assert {name for name, mode in modes.items() if mode & 0o077} <= {"address"}


def test_nobody_is_called(server: Unconfigured) -> None:
    """No telemetry, no look-ups: its processes have connections to this machine only."""
    called = {
        connection.raddr.ip
        for pid in server.tree.all
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.raddr
    }
    assert called <= {"127.0.0.1"}


async def test_nothing_acts_on_this_machine(server: Unconfigured, key: str) -> None:
    """Agents look at things and do nothing else, by the one provider there is, which is offline."""
    headers = {"X-API-Key": key}
    _, _, agents = await ask(server.port, "GET", "/api/agents", headers)
    tools = set[str]()
    for agent in json.loads(agents)["agents"]:
        body = {"message": "a", "agent_override": agent["id"], "tools": ["no"]}
        status, _, refused = await ask(server.port, "POST", "/api/chat", headers, body)
        assert status == 422
        told: str = json.loads(refused)["errors"]["tools"][0]
        tools.update(told.partition("there are: ")[2].split(", "))
    assert tools - {"none"} == LOOKING
    _, _, providers = await ask(server.port, "GET", "/api/providers", headers)
    assert [each["name"] for each in json.loads(providers)["providers"]] == ["offline"]
