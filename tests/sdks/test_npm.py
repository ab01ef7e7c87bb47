"""The JavaScript clients under Node: `node --test` once for each target, in npm/."""

import os
import subprocess

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.sdks import targets
from tests.sdks.npm_packages import FOLDER
from tests.sdks.targets import DIRECT, UPSTREAMS, Target

pytestmark = pytest.mark.slow
DEADLINE_S = 300


@pytest.fixture(params=[DIRECT, *UPSTREAMS])
def target(request: pytest.FixtureRequest, provider: FakeProvider) -> Target:
    if request.param == DIRECT:  # one address for the clients of all dialects
        return targets.direct("openai_chat", provider, "capable")
    return targets.through(request.param, request.getfixturevalue("server"), "capable")


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
