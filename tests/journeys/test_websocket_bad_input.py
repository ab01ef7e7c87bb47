"""Bad frames on a WebSocket: each is told with a code, and what cannot go on is closed with one."""

from functools import partial

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, until
from tests.harness.websockets import opened, text_of
from tests.journeys.accounts import new_key, new_tenant, new_user
from websockets.frames import Frame, Opcode
from websockets.typing import Data

NO_RUN = "run_" + "0" * 32


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("", "malformed_request"),
        ("not json", "malformed_request"),
        ('{"type": "chat", "message": "Hi"', "malformed_request"),
        ("[]", "malformed_request"),
        ('"chat"', "malformed_request"),
        ('{"type": "ping", "type": "ping"}', "malformed_request"),
        ('{"type": "ping", "n": NaN}', "malformed_request"),
        ("[" * 100_000, "malformed_request"),
        ("{}", "validation_error"),
        ('{"type": null}', "validation_error"),
        ('{"type": ["chat"]}', "validation_error"),
        ('{"type": "nonsense"}', "validation_error"),
        ('{"type": "chat"}', "validation_error"),
        ('{"type": "chat", "message": ""}', "validation_error"),
        ('{"type": "chat", "message": "a\\u0000b"}', "validation_error"),
        ('{"type": "chat", "message": "Hi", "client_seq": 0}', "validation_error"),
        ('{"type": "chat", "message": "Hi", "model": "nobody/knows"}', "model_not_found"),
        ('{"type": "chat", "message": "Hi", "conversation_id": "none"}', "conversation_not_found"),
        ('{"type": "resume"}', "validation_error"),
        (f'{{"type": "resume", "run_id": "{NO_RUN}", "after": -1}}', "validation_error"),
        (f'{{"type": "resume", "run_id": "{NO_RUN}"}}', "run_not_found"),
        ('{"type": "resume", "run_id": "1\'; --"}', "run_not_found"),
        (f'{{"type": "cancel", "run_id": "{NO_RUN}"}}', "run_not_found"),
        (f'{{"type": "approve", "run_id": "{NO_RUN}"}}', "validation_error"),
        (
            f'{{"type": "approve", "run_id": "{NO_RUN}", "approval_id": "a", '
            '"decision": "approve", "arguments_hash": "x"}',
            "run_not_found",
        ),
        (f'{{"type": "ack", "run_id": "{NO_RUN}"}}', "validation_error"),
        ('{"type": "auth", "api_key": "ck_wrong"}', "unauthenticated"),
    ],
)
async def test_bad_frames_are_told(scenario: Scenario, sent: str, code: str) -> None:
    before = await scenario.fetch("SELECT count(*) FROM runs")
    async with opened(scenario.server.port) as socket:
        await socket.connection.send(sent)
        frame = await socket.next()
        assert frame["code"] == code
        assert frame["error"]
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}
    assert await scenario.fetch("SELECT count(*) FROM runs") == before


async def test_the_error_names_the_field_and_the_message(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message="Hi", temperature=9, client_msg_id="mine")
        frame = await socket.next()
    status, body = await scenario.call("POST", "/api/chat", {"message": "Hi", "temperature": 9})
    assert status == 422
    assert frame["client_msg_id"] == "mine"
    assert (frame["error"], frame["code"], frame["errors"]) == (
        body["error"],
        body["code"],
        body["errors"],
    )


async def test_no_run_waits_for_an_approval(scenario: Scenario) -> None:
    run = (await scenario.chat())["run_id"]
    async with opened(scenario.server.port) as socket:
        decision = {"decision": "approve", "arguments_hash": "x"}
        await socket.send(type="approve", run_id=run, approval_id="a", **decision)
        frame = await socket.next()
        assert (frame["code"], frame["run_id"]) == ("approval_not_found", run)
        await socket.send(type="ack", run_id=run, seq=1)
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}


@pytest.mark.parametrize(
    ("sent", "codes", "closed"),
    [
        (b"\x00\xff garbage", ["binary_frame"], 1007),
        (b"", ["binary_frame"], 1007),
        ("x" * (1 << 20), ["too_large"], 1009),
        ("x" * (2 << 20), ["too_large"], 1009),
    ],
    ids=["binary", "empty binary", "1 MiB", "2 MiB"],
)
async def test_what_closes(scenario: Scenario, sent: Data, codes: list[str], closed: int) -> None:
    async with opened(scenario.server.port) as socket:
        await socket.connection.send(sent)
        frames, code = await socket.closed()
    assert ([frame["code"] for frame in frames], code) == (codes, closed)


@pytest.mark.parametrize("kind", ["frames", "pings", "continuations"])
async def test_a_flood_is_cut_and_slows_nobody(scenario: Scenario, kind: str) -> None:
    message = scenario.message(Script(words=40, between_tokens_s=0.02))
    flood = {
        "frames": Frame(Opcode.TEXT, b'{"type": "ping"}').serialize(mask=True) * 1000,
        "pings": Frame(Opcode.PING, b"x" * 100).serialize(mask=True) * 1000,
        "continuations": Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True)
        + Frame(Opcode.CONT, b"", fin=False).serialize(mask=True) * 1000,
    }[kind]
    async with opened(scenario.server.port) as patient, opened(scenario.server.port) as flooding:
        await patient.send(type="chat", message=message, model="openai/fake")
        await patient.next()
        flooding.connection.transport.write(flood)
        frames, code = await flooding.closed()
        assert (frames[-1]["code"], code) == ("too_many_frames", 4429)
        assert all(frame == {"type": "pong"} for frame in frames[:-1])
        assert text_of(await patient.until_end()) == scenario.answers[message]


@pytest.fixture
def narrow(shared: Serve) -> Scenario:
    """A server with room for two sockets of an owner, and for one run on each."""
    most = {"CARTRITA_WEBSOCKET_PER_OWNER_MAX": "2", "CARTRITA_WEBSOCKET_RUNS_MAX": "1"}
    return shared(settings=most)


async def test_the_most_runs(narrow: Scenario) -> None:
    message = narrow.message(Script(words=60, between_tokens_s=0.05))
    async with opened(narrow.server.port) as socket:
        await socket.send(type="chat", message=message, model="openai/fake")
        begun = await socket.next()
        await socket.send(type="chat", message="Another", client_msg_id="another")
        found = await socket.until(lambda frame: "code" in frame)
        assert (found[-1]["code"], found[-1]["client_msg_id"]) == ("too_many_runs", "another")
        await socket.send(type="resume", run_id=begun["run_id"], after=0)  # the same one has room
        again = await socket.until_end()
    assert begun in again


async def test_sockets_of_an_owner_are_counted(narrow: Scenario) -> None:
    user = await new_user(narrow, await new_tenant(narrow))
    key = (await new_key(narrow, user))["key"]
    opened_by_user = partial(opened, narrow.server.port, key=key)
    async with opened_by_user() as first, opened_by_user() as second:
        for socket in (first, second):
            await socket.send(type="ping")
            await socket.next()
        async with opened_by_user() as third:
            frames, code = await third.closed()
    assert ([frame["code"] for frame in frames], code) == (["too_many_sockets"], 4429)
    async with opened_by_user() as fourth:
        await fourth.send(type="ping")
        assert await fourth.next() == {"type": "pong"}


async def test_text_that_is_not_utf8(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        socket.connection.transport.write(Frame(Opcode.TEXT, b"\xff").serialize(mask=True))
        frames, code = await socket.closed()
    assert ([frame["code"] for frame in frames], code) == (["invalid_utf8"], 1007)


async def test_silence_is_closed_unless_an_answer_is_followed(serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_WEBSOCKET_IDLE_S": "0.3"})
    async with opened(scenario.server.port) as socket:
        message = scenario.message(Script(words=20, between_tokens_s=0.05))
        await socket.send(type="chat", message=message, model="openai/fake")
        assert text_of(await socket.until_end()) == scenario.answers[message]
        frames, code = await socket.closed()
    assert ([frame["code"] for frame in frames], code) == (["idle"], 4408)


async def test_a_client_that_is_gone_is_noticed(serve: Serve) -> None:
    """It keeps the connection, and answers no ping."""
    scenario = serve(
        settings={
            "CARTRITA_WEBSOCKET_PING_INTERVAL_S": "0.1",
            "CARTRITA_WEBSOCKET_PING_TIMEOUT_S": "0.1",
        }
    )
    async with opened(scenario.server.port) as socket:
        await socket.send(type="ping")
        await socket.next()
        socket.connection.transport.pause_reading()
        await until(lambda: "socket_closed" in scenario.server.log_tail())
        socket.connection.transport.abort()
