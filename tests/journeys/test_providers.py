"""Providers are listed and tested over HTTP; code and the route of Hugging Face answer."""

import json

from tests.harness.fake_provider.faults import ReplacedResponse
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario


async def test_listed_and_tested(scenario: Scenario) -> None:
    status, listed = await scenario.call("GET", "/api/providers")
    assert status == 200
    by_name = {one["name"]: one for one in listed["providers"]}
    assert listed["total"] == len(by_name)
    assert by_name["openai"]["base_url"] == scenario.provider.base_url
    assert by_name["openai"]["has_credential"]
    assert by_name["openai"]["models"] > 0
    assert by_name["offline"]["dialect"] is None
    assert scenario.provider.key not in json.dumps(listed)

    status, report = await scenario.call("POST", "/api/providers/openai/check")
    assert (status, report["ok"]) == (200, True)
    status, report = await scenario.call("POST", "/api/providers/nobody/check", {"full": True})
    assert (status, report["code"]) == (404, "provider_not_configured")


async def test_a_full_test_of_a_provider_that_is_out_of_credit(scenario: Scenario) -> None:
    fault = ReplacedResponse(status=402)
    scenario.provider.script(Script(faults=(fault,)), times=2, path="/v1/chat/completions")
    status, report = await scenario.call("POST", "/api/providers/openai/check", {"full": True})
    assert (status, report["ok"]) == (200, False)
    step = report["steps"][1]
    assert (step["status"], step["advice"].split(",")[0]) == (402, "Add credit to the account")


async def test_code(scenario: Scenario) -> None:
    script = Script(text="Here:\n```python\nprint(1)\n```\nIt prints 1.")
    body = {"task": f"Print 1. {directive(script)}", "model": "openai/fake"}
    status, answer = await scenario.call("POST", "/api/code", body)
    assert status == 200, answer
    assert answer == {
        "code": "print(1)",
        "language": "python",
        "explanation": "Here:\n\nIt prints 1.",
        "model": "openai/fake",
    }
    status, refusal = await scenario.call("POST", "/api/code", {"language": "python"})
    assert (status, list(refusal["errors"])) == (422, ["task"])


async def test_hugging_face_without_a_key(scenario: Scenario) -> None:
    status, refusal = await scenario.call("POST", "/api/huggingface/chat", {"message": "Hi"})
    assert (status, refusal["code"]) == (404, "provider_not_configured")
    assert "HUGGINGFACE_API_KEY" in refusal["error"]
