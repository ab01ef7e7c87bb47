"""schemathesis generates requests from openapi.json: no 500, no undocumented answer."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.harness.scenario import Scenario
from tests.harness.search_services.server import SearchServices
from tests.harness.server import KEY

CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance"
SCRIPT = """
scenes:
  - steps:
      - text: Hello
"""


@pytest.mark.slow
async def test_schemathesis(serve: Any, services: SearchServices, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT)
    scenario: Scenario = serve(
        settings={
            "CARTRITA_OFFLINE_SCRIPT": str(script),
            "CARTRITA_DEFAULT_MODEL": "offline/script",
            **services.settings,
        }
    )
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{scenario.server.base}/openapi.json",
        f"--header=X-API-Key: {KEY}",
        f"--checks={CHECKS}",
        "--phases=examples,coverage,fuzzing,stateful",
        "--max-examples=20",
        "--seed=7",
        "--continue-on-failure",
        "--request-timeout=60",
        "--no-color",
    ]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert '"request_failed"' not in scenario.server.log_path.read_text()
    status, response = await scenario.call("GET", "/ready")
    assert (status, response["ready"]) == (200, True)
