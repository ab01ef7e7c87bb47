"""Every operation of the contract goes through the client to a live server, and answers by it."""

import base64
from typing import Any
from uuid import uuid4

import pytest
from tests.client.sample_calls import WITHOUT_DESKTOPS
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario
from tests.harness.served_contract import CONTRACT
from tests.harness.server import KEY
from tests.harness.utterances import utterances
from tests.typescript.answers import is_of, wrong_in
from tests.typescript.package import Programs

from cartrita.contract.model import Operation
from cartrita.contract.typescript.texts import camel

pytestmark = pytest.mark.slow

_DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlE"
    "QVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
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
    if operation.id in WITHOUT_DESKTOPS:
        assert end["error"]["code"] == WITHOUT_DESKTOPS[operation.id]
        return
    assert "error" not in end, end
    mine = [each for each in calls if is_of(operation, each)]
    assert mine, f"{operation.method} {operation.path} was not asked: {calls}"
    for each in mine:
        assert each["status"] < 300
        assert list(wrong_in(operation, each)) == []


def test_the_program_knows_no_operation_that_the_contract_has_not(facts: Facts) -> None:
    assert set(facts) == {camel(each.id) for each in CONTRACT.operations}
