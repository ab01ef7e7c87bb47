"""The official conformance suite of MCP against /mcp, with what is not offered as its baseline."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.server import Server
from tests.sdks.npm_packages import BROUGHT_NODE, FOLDER

pytestmark = pytest.mark.slow
PROGRAM = FOLDER / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
_PASSED = re.compile(r"✓ ([a-z-]+): ([0-9]+) passed, 0 failed")

AGENT = """
[agents.test_error_handling]
description = "An agent that the suite calls without a message."
instructions = "Say nothing."
"""


@pytest.mark.usefixtures("node")
def test_what_is_offered_conforms(provider: FakeProvider, tmp_path: Path) -> None:
    config = tmp_path / "cartrita.toml"
    config.write_text(AGENT)
    settings = {"CARTRITA_AUTH": "loopback", "CARTRITA_CONFIG": str(config)}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        command = [BROUGHT_NODE, str(PROGRAM), "server", "--url", f"{server.base}/mcp"]
        baseline = ["--expected-failures", str(FOLDER / "conformance.yml")]
        ran = subprocess.run(
            [*command, "--suite", "all", *baseline, "-o", str(tmp_path / "results")],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    passed = {name for name, checks in _PASSED.findall(ran.stdout) if int(checks)}
    assert passed == {
        "dns-rebinding-protection",
        "ping",
        "server-initialize",
        "tools-call-error",
        "tools-list",
    }
