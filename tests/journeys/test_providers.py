"""Providers are listed and tested over HTTP; code and the route of Hugging Face answer."""

import asyncio
import json

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.faults import ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, until
from tests.journeys.v1 import exchange_with, post


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
    status, headers, answered = await post(scenario, "/api/code", body)
    assert (status, headers["x-cartrita-provider"]) == (200, "openai"), answered
    assert json.loads(answered) == {
        "code": "print(1)",
        "language": "python",
        "explanation": "Here:\n\nIt prints 1.",
        "model": "openai/fake",
    }
    status, refusal = await scenario.call("POST", "/api/code", {"language": "python"})
    assert (status, list(refusal["errors"])) == (422, ["task"])


async def test_code_without_a_fence(scenario: Scenario) -> None:
    body = {"task": f"Print 1. {directive(Script(text='print(1)'))}", "model": "openai/fake"}
    status, answer = await scenario.call("POST", "/api/code", body)
    assert (status, answer["code"], answer["language"]) == (200, "print(1)", "python")
    assert answer["explanation"] == ""
    status, answer = await scenario.call("POST", "/api/code", {**body, "language": "lua"})
    assert (status, answer["code"], answer["language"]) == (200, "print(1)", "lua")


async def test_code_that_nobody_waits_for(scenario: Scenario) -> None:
    task = f"tourmaline {directive(Script(words=2000, between_tokens_s=0.05))}"
    body = {"task": task, "model": "openai/fake"}
    asking = asyncio.create_task(post(scenario, "/api/code", body))
    await until(lambda: any("tourmaline" in one.body for one in scenario.provider.requests()))
    asking.cancel()
    await until(lambda: exchange_with(scenario, "tourmaline").outcome == "disconnected")


async def test_the_provider_of_an_answer(scenario: Scenario) -> None:
    body = {"message": scenario.message(Script(text="Hello")), "model": "openai/fake"}
    status, headers, answered = await post(scenario, "/api/chat", body)
    assert (status, headers["x-cartrita-provider"]) == (200, "openai")
    assert headers["content-type"] == "application/json"
    assert json.loads(answered)["response"] == "Hello"


@pytest.fixture
def elsewhere(shared: Serve, provider: FakeProvider) -> Scenario:
    """A server with Hugging Face, with Comet in place of Anthropic, whose callers need no key."""
    settings = {
        "HUGGINGFACE_API_KEY": provider.key,
        "HUGGINGFACE_BASE_URL": provider.base_url,
        "API_PROVIDER": "comet",
        "ANTHROPIC_API_KEY": provider.key,
        "COMET_API_BASE_URL": provider.root_url,
        "CARTRITA_AUTH": "loopback",
    }
    return shared(settings=settings)


async def test_a_model_of_hugging_face_is_one_that_it_lists(elsewhere: Scenario) -> None:
    _, listed = await elsewhere.call("GET", "/api/models")
    names = [each["id"] for each in listed["data"] if each["provider"] == "huggingface"]
    assert "huggingface/openai/gpt-oss-120b" not in names
    body = {"message": elsewhere.message(Script(text="Hello"))}
    status, answer = await elsewhere.call("POST", "/api/huggingface/chat", body)
    assert status == 200, answer
    assert f"huggingface/{answer['model']}" == names[0]


async def test_in_comet_mode_anthropic_is_explained(elsewhere: Scenario) -> None:
    body = {"message": "Hi", "model": "anthropic/claude-opus-4-6"}
    status, refusal = await elsewhere.call("POST", "/api/chat", body)
    assert (status, refusal["code"]) == (404, "provider_not_configured")
    assert "comet/" in refusal["error"]
    assert "COMET_API_KEY" in refusal["error"]


async def test_sdks_need_no_key_where_none_is_needed(elsewhere: Scenario) -> None:
    port = elsewhere.server.port
    for key, expected in (("dummy", 200), ("sk-not-needed", 200), ("ck_mistyped", 401)):
        headers = {"Authorization": f"Bearer {key}"}
        async with await raw_http.request(port, "GET", "/v1/models", headers) as answer:
            assert (key, answer.status) == (key, expected)
    page = {"Authorization": "Bearer dummy", "Origin": "https://elsewhere.example"}
    async with await raw_http.request(port, "GET", "/v1/models", page) as answer:
        assert answer.status == 403


async def test_hugging_face_without_a_key(scenario: Scenario) -> None:
    status, refusal = await scenario.call("POST", "/api/huggingface/chat", {"message": "Hi"})
    assert (status, refusal["code"]) == (404, "provider_not_configured")
    assert "HUGGINGFACE_API_KEY" in refusal["error"]
