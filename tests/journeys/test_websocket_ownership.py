"""What belongs to others is not found over a WebSocket, and a key that ends has no socket."""

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.websockets import opened
from tests.journeys.test_ownership import new_key

SLOW = Script(words=100, between_tokens_s=0.05)


@pytest.mark.parametrize("kind", ["resume", "cancel", "approve"])
async def test_runs_of_another_owner(scenario: Scenario, kind: str) -> None:
    _, key = await new_key(scenario, f"other-{kind}")
    async with opened(scenario.server.port) as mine, opened(scenario.server.port, key=key) as other:
        await mine.send(type="chat", message=scenario.message(SLOW), model="openai/fake")
        run = (await mine.next())["run_id"]
        for name in (run, run.removeprefix("run_"), run.upper()):
            await other.send(type=kind, run_id=name)
            refused = await other.next()
            assert (refused["code"], refused["run_id"]) == ("run_not_found", name)
        await mine.send(type="cancel", run_id=run)
        ended = await mine.until_end(run)
        assert ended[-1]["data"]["code"] == "cancelled"


async def test_conversations_and_names_of_another_owner(scenario: Scenario) -> None:
    _, key = await new_key(scenario, "other-chat")
    message = scenario.message(Script(words=3))
    async with opened(scenario.server.port) as mine, opened(scenario.server.port, key=key) as other:
        await mine.send(type="chat", message=message, model="openai/fake", client_msg_id="the-same")
        first = await mine.until_end()
        conversation = first[-1]["conversation_id"]
        await other.send(type="chat", message="Hi", conversation_id=conversation)
        assert (await other.next())["code"] == "conversation_not_found"
        await other.send(
            type="chat", message=message, model="openai/fake", client_msg_id="the-same"
        )
        accepted = await other.next()
        assert accepted["created"] is True
        assert accepted["run_id"] != first[0]["run_id"]


async def test_a_key_of_another_owner_on_an_open_socket(scenario: Scenario) -> None:
    _, key = await new_key(scenario, "other-auth")
    async with opened(scenario.server.port) as socket:
        await socket.send(type="auth", api_key=key)
        assert (await socket.next())["code"] == "already_authenticated"
