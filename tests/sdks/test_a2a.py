"""The official client of A2A asks agents by their cards, whole and streamed."""

import json
import subprocess

import pytest
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import KEY, Server
from tests.sdks.own_environments import client_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client() -> list[str]:
    return client_in("a2a")


def test_the_official_client(server: Server, client: list[str]) -> None:
    text = f"Write. {directive(Script(text='Moss grows.'))}"
    ran = subprocess.run(
        [*client, server.base, KEY, text], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(one["agent"], one["streamed"]) for one in told] == [
        ("", False),
        ("", True),
        ("/a2a/writer", False),
        ("/a2a/writer", True),
    ]
    for one in told:
        assert (one["state"], one["text"]) == ("TASK_STATE_COMPLETED", "Moss grows.")
        assert one["errors"] == ["TaskNotCancelableError", "TaskNotFoundError"]
        assert one["events"][0] == "task"
        assert ("artifactUpdate" in one["events"]) is one["streamed"]
