"""What belongs to A is not there for anybody else over a WebSocket, by whatever frame."""

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.security.frames import (
    frame,
    frame_cells,
    refusal,
    replies,
    same_replies,
    socket_of,
    sockets,
)
from tests.security.owners import Owners, new_things
from tests.security.rules import FRAME_RULES, Kind
from tests.security.test_ownership import state_of

each_socket = pytest.mark.parametrize("path", sockets())


@each_socket
async def test_every_frame_with_ids_of_others(
    scenario: Scenario, owners: Owners, path: str
) -> None:
    before = await state_of(scenario, owners)
    wrong: list[object] = []
    asked = 0
    for asking in owners.strangers:
        async with socket_of(scenario, asking, path) as socket:
            for cell in frame_cells(owners, asking.ways, path):
                asked += 1
                foreign = await replies(socket, cell.foreign)
                absent = await replies(socket, cell.absent)
                codes = [told.get("code") for told in foreign]
                expected = [] if cell.code is None else [cell.code]
                if codes != expected or not same_replies(cell, foreign, absent):
                    wrong.append((asking.name, cell, foreign, absent))
                assert owners.word not in str(foreign)
    assert not wrong
    assert asked > 200
    assert await state_of(scenario, owners) == before


@each_socket
async def test_nobody_unknown_sends_any(scenario: Scenario, owners: Owners, path: str) -> None:
    before = await state_of(scenario, owners)
    for asking in owners.unknown:
        told = {str(await refusal(scenario, asking, frame("PingFrame"), path))}
        for cell in frame_cells(owners, 1, path):
            told.add(str(await refusal(scenario, asking, cell.foreign, path)))
        assert len(told) == 1, (asking.name, told)
        assert "'unauthenticated'" in told.pop()
    assert await state_of(scenario, owners) == before


@each_socket
async def test_the_owner_reaches_what_others_do_not(
    scenario: Scenario, owners: Owners, path: str
) -> None:
    """Or the matrix would prove nothing."""
    things = await new_things(scenario, owners.a.headers, owners.word)
    async with socket_of(scenario, owners.a, path) as socket:
        for name in sockets()[path]:
            rule = FRAME_RULES[name]
            for field, kind in rule.ids.items():
                told = await replies(socket, frame(name, **{field: things[kind][0]}))
                assert rule.missing not in [each.get("code") for each in told], (name, told)
                if name == "ChatFrame":
                    told += await socket.until_end()
                    assert told[-1]["conversation_id"] == things[Kind.CONVERSATION][0]


@each_socket
async def test_a_run_that_goes_on(scenario: Scenario, owners: Owners, path: str) -> None:
    """Is neither followed nor cancelled by others."""
    b = owners.strangers[0]
    message = scenario.message(Script(words=100, between_tokens_s=0.05))
    async with socket_of(scenario, owners.a) as mine, socket_of(scenario, b, path) as other:
        await mine.send(**frame("ChatFrame", message=message))
        run = (await mine.next())["run_id"]
        for name in sockets()[path]:
            rule = FRAME_RULES[name]
            if "run_id" in rule.ids:
                told = await replies(other, frame(name, run_id=run))
                assert [each["code"] for each in told] == [rule.missing] * len(told)
        await mine.send(**frame("CancelFrame", run_id=run))
        ended = await mine.until_end(run)
        assert ended[-1]["data"]["code"] == "cancelled"


@each_socket
async def test_nobody_becomes_somebody_else(scenario: Scenario, owners: Owners, path: str) -> None:
    """A key of another owner on an open socket is refused, and the socket stays its caller's."""
    things = owners.things
    for asking in owners.strangers:
        async with socket_of(scenario, asking, path) as socket:
            key = owners.a.headers["X-API-Key"]
            [told] = await replies(socket, frame("AuthFrame", api_key=key))
            assert told["code"] == "already_authenticated"
            [told] = await replies(socket, frame("ResumeFrame", run_id=things[Kind.RUN][0]))
            assert told["code"] == "run_not_found"


@pytest.mark.parametrize("handshake", [True, False], ids=["in the handshake", "in a frame"])
async def test_names_are_each_owners_own(
    scenario: Scenario, owners: Owners, handshake: bool
) -> None:
    """The same client_msg_id is another message for everybody, however the caller is told."""
    runs: set[str] = set()
    known = [each for each in owners.strangers if "X-API-Key" in each.headers]
    for asking in (owners.a, *known):
        by, key = asking, None
        if not handshake:
            by, key = owners.others[0], asking.headers["X-API-Key"]
        async with socket_of(scenario, by, key=key) as socket:
            name = f"the-same-{handshake}"
            await socket.send(**frame("ChatFrame", client_msg_id=name))
            accepted = await socket.next()
            assert accepted["created"] is True, (asking.name, accepted)
            runs.add(accepted["run_id"])
            await socket.until_end()
    assert len(runs) == 1 + len(known)
