"""Every event of the union comes from real runs, over every way, as the contract says."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.harness.server import KEY, NOBODY, Server
from tests.laws.tree import ROOT
from tests.typescript.package import Programs
from tests.typescript.scenes import SCENES

pytestmark = pytest.mark.slow

OPENAPI: dict[str, Any] = json.loads((ROOT / "frontend-contract/openapi.json").read_text())
KINDS = set(OPENAPI["components"]["schemas"]["ChatEvent"]["discriminator"]["mapping"])
_LOGGED = KINDS - {"queued"}
"""Who asks now and then is not told of a place in a queue, which is in no log."""


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The events that a reader got on each way, and in a live session."""
    script = tmp_path_factory.mktemp("scenes") / "scenes.yaml"
    script.write_text(SCENES)
    programs: Programs = request.getfixturevalue("programs")
    return run_beside(script, programs)


def run_beside(script: Path, programs: Programs) -> dict[str, list[dict[str, Any]]]:
    settings = {
        "CARTRITA_DEFAULT_MODEL": "offline/script",
        "CARTRITA_OFFLINE_SCRIPT": str(script),
    }
    with Server(provider_url=NOBODY, settings=settings) as server:
        facts = programs.run("events", base=server.base, key=KEY)
    return {each["way"]: each["events"] for each in facts}


@pytest.mark.parametrize("way", ["sse", "websocket", "polling", "live"])
def test_each_kind_of_event(way: str, told: dict[str, list[dict[str, Any]]]) -> None:
    wanted = _LOGGED if way == "polling" else KINDS
    assert wanted <= {each["event"] for each in told[way]} <= KINDS
    schema = {
        "$ref": "#/components/schemas/ChatEvent",
        "components": OPENAPI["components"],
    }
    validator = Draft202012Validator(schema)
    for each in told[way]:
        frame = {"event": each["event"], "data": each["data"]}
        assert [error.message for error in validator.iter_errors(frame)] == [], frame
