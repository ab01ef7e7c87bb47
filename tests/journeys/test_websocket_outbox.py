"""A client's outbox: messages that are sent twice are one, and numbered ones keep their order."""

import asyncio

from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.websockets import Frame, SocketClient, opened, text_of

QUICK = Script(words=5)


async def chat(socket: SocketClient, message: str, **fields: object) -> None:
    await socket.send(type="chat", message=message, model="openai/fake", **fields)


def is_accepted(frame: Frame) -> bool:
    return frame.get("type") == "accepted"


async def test_a_message_that_is_sent_twice_is_one(scenario: Scenario) -> None:
    message = scenario.message(Script(words=30, between_tokens_s=0.02))
    async with opened(scenario.server.port) as socket:
        for _ in range(3):
            await chat(socket, message, client_msg_id="sent-thrice")
        frames = await socket.until_end()
        accepted = [frame for frame in frames if is_accepted(frame)]
        assert [frame["created"] for frame in accepted] == [True, False, False]
        assert text_of(frames) == scenario.answers[message]
        await chat(socket, message, client_msg_id="sent-thrice")
        again = await socket.until_end()
        assert again == [accepted[-1], *(f for f in frames if not is_accepted(f))]
    assert len(await scenario.calls_for(message)) == 1


async def test_two_sockets_that_send_the_same_at_once(scenario: Scenario) -> None:
    message = scenario.message(QUICK)
    async with opened(scenario.server.port) as one, opened(scenario.server.port) as other:
        both = (one, other)
        await asyncio.gather(*(chat(s, message, client_msg_id="at-once") for s in both))
        first, second = await asyncio.gather(*(socket.until_end() for socket in both))
    assert {frame["run_id"] for frame in (*first, *second)} == {first[0]["run_id"]}
    assert sorted(frame["created"] for frame in (first[0], second[0])) == [False, True]
    assert text_of(first) == text_of(second) == scenario.answers[message]


async def test_numbered_messages_keep_their_order(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        messages = {number: scenario.message(QUICK) for number in range(1, 7)}
        for number in (3, 2, 4, 1, 6, 5):
            named = {"client_msg_id": f"ordered-{number}", "client_seq": number}
            await chat(socket, messages[number], **named)
        names = [(await socket.until(is_accepted))[-1]["client_msg_id"] for _ in range(6)]
        assert names == [f"ordered-{number}" for number in range(1, 7)]
        await chat(socket, messages[2], client_msg_id="ordered-2", client_seq=2)
        assert (await socket.until(is_accepted))[-1]["created"] is False


async def test_a_name_that_is_used_for_something_else(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        await chat(socket, scenario.message(QUICK), client_msg_id="taken")
        await socket.until_end()
        await chat(socket, "Something else", client_msg_id="taken")
        refused = await socket.next()
        assert (refused["code"], refused["client_msg_id"]) == ("client_msg_id_reused", "taken")


async def test_one_that_is_refused_keeps_nobody_waiting(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        await chat(socket, scenario.message(QUICK), client_msg_id="second", client_seq=2)
        await chat(socket, "Hi", conversation_id="none", client_msg_id="first", client_seq=1)
        refused = await socket.next()
        assert (refused["code"], refused["client_msg_id"]) == ("conversation_not_found", "first")
        assert (await socket.next())["client_msg_id"] == "second"


async def test_one_that_never_comes(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        for number in range(2, 18):
            await chat(socket, "Too early", client_msg_id=f"early-{number}", client_seq=number)
        await chat(socket, "Too early", client_msg_id="one-too-many", client_seq=18)
        beyond = await socket.next()
        assert (beyond["code"], beyond["client_msg_id"]) == ("client_seq_gap", "one-too-many")
        given_up = [await socket.next() for _ in range(16)]
        assert {frame["code"] for frame in given_up} == {"client_seq_gap"}
        assert [f["client_msg_id"] for f in given_up] == [f"early-{n}" for n in range(2, 18)]
        message = scenario.message(QUICK)
        await chat(socket, message, client_msg_id="on-time", client_seq=1)
        assert text_of(await socket.until_end()) == scenario.answers[message]
