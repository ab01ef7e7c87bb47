"""Every operation of the contract goes through the client to a live server, and answers by it."""

import base64
import json
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario
from tests.harness.served_contract import CONTRACT
from tests.harness.server import KEY
from tests.harness.utterances import utterances
from tests.laws.tree import ROOT
from tests.typescript.package import Programs

from cartrita.contract.model import Operation
from cartrita.contract.typescript.texts import camel

pytestmark = pytest.mark.slow

_DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlE"
    "QVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
OPENAPI: dict[str, Any] = json.loads((ROOT / "frontend-contract/openapi.json").read_text())
Facts = dict[str, list[dict[str, Any]]]


def saying(*scripts: Script) -> str:
    return f"needle-{uuid4().hex} {directive(*scripts)}"


@pytest.fixture(scope="module")
def facts(request: pytest.FixtureRequest) -> Facts:
    """What each method did: the requests that it made, and how it ended, by its name."""
    scenario = Scenario(
        request.getfixturevalue("quiet_server"), request.getfixturevalue("provider")
    )
    programs: Programs = request.getfixturevalue("programs")
    called = ToolCall(name="calculator", arguments={"expression": "6*7"})
    told = programs.run(
        "operations",
        base=scenario.server.base,
        key=KEY,
        asks=saying(*[Script(words=4)] * 20),
        waits=saying(Script(tool_calls=(called,)), Script(text="That was it.")),
        long=saying(Script(words=500, between_tokens_s=0.02)),
        credential=PROVIDER_KEY,
        image=_DOT,
        recording=base64.b64encode(utterances((0.1, 1.0))).decode(),
        code=saying(Script(text="```python\nprint(1)\n```")),
    )
    found: Facts = {}
    for fact in told:
        found.setdefault(fact.get("called") or fact["done"], []).append(fact)
    return found


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda each: each.id)
def test_each_operation(operation: Operation, facts: Facts) -> None:
    *calls, end = facts[camel(operation.id)]
    if operation.announced:
        assert end["error"]["name"] == "NotFoundError"
        return
    assert "error" not in end, end
    mine = [each for each in calls if is_of(operation, each)]
    assert mine, f"{operation.method} {operation.path} was not asked: {calls}"
    for each in mine:
        assert each["status"] < 300
        assert list(wrong_in(operation, each)) == []


def is_of(operation: Operation, call: dict[str, Any]) -> bool:
    path = re.sub(r"\{\w+\}", "[^/]+", operation.path)
    asked = re.fullmatch(path, urlsplit(call["url"]).path)
    return bool(asked) and call["method"] == operation.method


def wrong_in(operation: Operation, call: dict[str, Any]) -> list[str]:
    """How an answer is not what the contract says."""
    described = OPENAPI["paths"][operation.path][operation.method.lower()]["responses"]
    content = described[str(call["status"])].get("content", {}).get("application/json")
    if content is None or call["body"] is None:
        return []
    schema = {**content["schema"], "components": OPENAPI["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(call["body"])]


def test_the_program_knows_no_operation_that_the_contract_has_not(facts: Facts) -> None:
    assert set(facts) == {camel(each.id) for each in CONTRACT.operations}
