"""A WebSocket does what its key may."""

from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.websockets import opened
from tests.journeys.accounts import new_key, new_user

from cartrita.domain.principals import LOCAL_TENANT


async def test_a_key_that_may_not_chat(scenario: Scenario) -> None:
    user = await new_user(scenario, LOCAL_TENANT)
    key = await new_key(scenario, user, scopes={"operations": ["embeddings"]})
    async with opened(scenario.server.port, key=key["key"]) as socket:
        frames, code = await socket.closed()
    assert (frames[-1]["code"], code) == ("scope_operation", 1008)


async def test_a_key_for_one_provider(scenario: Scenario) -> None:
    user = await new_user(scenario, LOCAL_TENANT)
    key = await new_key(scenario, user, scopes={"providers": ["openai"]})
    async with opened(scenario.server.port, key=key["key"]) as socket:
        await socket.send(type="chat", message="Hi", model="anthropic/fake", client_msg_id="no")
        refused = await socket.next()
        assert (refused["code"], refused["client_msg_id"]) == ("scope_provider", "no")
        message = scenario.message(Script(words=3))
        await socket.send(type="chat", message=message, model="openai/fake")
        assert (await socket.until_end())[-1]["response"] == scenario.answers[message]
