"""`/v1/conversations` as OpenAI's SDKs use it: the same conversations as everywhere else."""

from uuid import uuid4

from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario
from tests.journeys.v1 import post_json

PATH = "/v1/conversations"


async def test_a_conversation_and_its_items(scenario: Scenario) -> None:
    item = {"type": "message", "role": "user", "content": "My name is Alice"}
    status, made = await post_json(scenario, PATH, {"items": [item], "metadata": {"kept": "yes"}})
    assert (status, made["object"], made["metadata"]) == (200, "conversation", {"kept": "yes"})
    place = f"{PATH}/{made['id']}"
    status, read = await scenario.call("GET", place)
    assert (status, read) == (200, made)
    asked = f"needle-{uuid4().hex} {directive(Script(text='Alice'))}"
    body = {"model": "openai/fake", "input": asked, "conversation": made["id"]}
    status, response = await post_json(scenario, "/v1/responses", body)
    assert (status, response["conversation"]) == (200, {"id": made["id"]})
    status, items = await scenario.call("GET", f"{place}/items?order=asc")
    assert [each["role"] for each in items["data"]] == ["user", "user", "assistant"]
    assert items["has_more"] is False
    status, page = await scenario.call(
        "GET", f"{place}/items?order=asc&limit=1&after={items['first_id']}"
    )
    assert (page["data"], page["has_more"]) == (items["data"][1:2], True)
    status, one = await scenario.call("GET", f"{place}/items/{items['last_id']}")
    assert (status, one) == (200, items["data"][-1])
    status, native = await scenario.call("GET", f"/api/conversations/{made['id']}/messages")
    assert len(native["items"]) == 3


async def test_items_come_and_go(scenario: Scenario) -> None:
    _, made = await post_json(scenario, PATH, {})
    place = f"{PATH}/{made['id']}"
    items = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    status, added = await post_json(scenario, f"{place}/items", {"items": items})
    assert (status, len(added["data"])) == (200, 2)
    status, _ = await scenario.call("DELETE", f"{place}/items/{added['first_id']}")
    assert status == 200
    _, left = await scenario.call("GET", f"{place}/items")
    assert [each["id"] for each in left["data"]] == [added["last_id"]]
    status, told = await scenario.call("GET", f"{place}/items/{added['first_id']}")
    assert (status, told["error"]["code"]) == (404, "item_not_found")
    status, changed = await post_json(scenario, place, {"metadata": {"new": "yes"}})
    assert (status, changed["metadata"]) == (200, {"new": "yes"})
    status, gone = await scenario.call("DELETE", place)
    assert (status, gone["deleted"]) == (200, True)
    assert (await scenario.call("GET", place))[0] == 404


async def test_bad_items(scenario: Scenario) -> None:
    for items in ("x", [{"type": "robot"}], [{"type": "item_reference", "id": "msg_1"}]):
        status, told = await post_json(scenario, PATH, {"items": items})
        assert (status, told["error"]["type"]) == (400, "invalid_request_error")
        assert told["error"]["param"].startswith("items")
