"""Live audio is paid for as it goes on: budgets end it, and the ledger has it before its end."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.harness.voice_sockets import (
    PAUSE,
    VoiceSocket,
    live_settings,
    of_type,
    spoken_audio,
    voice,
)
from tests.journeys.accounts import made, new_key, new_tenant, new_user
from tests.journeys.live_voice import MODEL
from tests.journeys.live_voice import deepgram_server as deepgram_server

PRICES = "\n".join(
    f"""
[[requests]]
provider = "deepgram"
operation = "{operation}"
checked = 2026-11-29
source = "made up"
{unit}
"""
    for operation, unit in (("listening", 'second = "0.001"'), ("speech", 'character = "0.01"'))
)


@pytest.fixture(scope="module")
def thrifty(
    provider: FakeProvider, deepgram_server: Deepgram, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenario]:
    """A server at which a second of audio is paid for at once, or 15 characters."""
    prices = tmp_path_factory.mktemp("prices") / "own.toml"
    prices.write_text(PRICES)
    settings = {
        **live_settings(deepgram_server),
        "CARTRITA_LEDGER_PRICES": str(prices),
        "CARTRITA_LEDGER_FLUSH_INTERVAL_S": "0.1",
        "CARTRITA_BUDGETS_UNPRICED": "allow",
        "CARTRITA_VOICE_METERED_EVERY_S": "1",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


async def caller(scenario: Scenario, **budgets: Any) -> tuple[str, str]:
    """A new user with these budgets, and its key."""
    user = await new_user(scenario, await new_tenant(scenario))
    key = await new_key(scenario, user)
    await made(scenario, "PUT", f"/api/admin/users/{user}/budgets", budgets)
    return user, key["key"]


async def entries(scenario: Scenario, user: str, operation: str) -> list[Any]:
    query = "SELECT * FROM usage_ledger WHERE model = $2 AND owner_id = $1 ORDER BY at"
    return await scenario.fetch(query, user, operation)


async def begin(socket: VoiceSocket, **fields: Any) -> None:
    await socket.start(model=MODEL, transcriber="deepgram", synthesizer="deepgram", **fields)


async def test_listening_ends_with_its_budget(thrifty: Scenario, deepgram_server: Deepgram) -> None:
    user, key = await caller(thrifty, day={"money": "0.0035"})
    async with voice(thrifty.server.port, key=key) as socket:
        await begin(socket, respond=False)
        await socket.say(deepgram_server.samples("Only words.") + PAUSE * 9)
        frames = await socket.until_type("stopped")
        assert frames[-1]["reason"] == frames[-2]["code"] == "budget_exhausted"
        assert "budget" in frames[-2]["error"]
        assert [one["text"] for one in of_type(frames, "turn")] == ["Only words."]
        await socket.send(type="start", sample_rate=16_000, respond=False, transcriber="deepgram")
        await socket.say(PAUSE)
        again = await socket.until_type("stopped")
        assert again[-1]["reason"] == "budget_exhausted"

    async def settled() -> list[Any] | None:
        found = await entries(thrifty, user, "listening")
        return found if found and found[-1]["audio_seconds"] <= 0.5 else None

    found = await eventually(settled)
    assert [round(one["audio_seconds"], 1) for one in found[:3]] == [1.0, 1.0, 1.0]
    # A budget is noticed a moment after it was given, and what was heard by then is no part of it.
    assert sum(one["cost"] for one in found[-4:]) <= 0.0035


async def test_speech_ends_with_its_budget_after_what_is_paid(
    thrifty: Scenario, deepgram_server: Deepgram
) -> None:
    sentences = ["Moss grows.", "Mice gnaw.", "Time flows.", "Birds sing.", "Stones lie."]
    asked = f"What? {directive(Script(text=' '.join(sentences)))}"
    user, key = await caller(thrifty, day={"money": "0.50"})
    async with voice(thrifty.server.port, key=key) as socket:
        await begin(socket)
        await socket.say(deepgram_server.samples(asked) + PAUSE)
        frames = await socket.until_spoken()
        stopped = frames[-1]
        assert (stopped["type"], stopped["reason"]) == ("speech_stopped", "budget_exhausted")
        heard = [one["sentence"] for one in of_type(frames, "speech_end")]
        assert heard == [*range(stopped["sentence"])]
        assert 0 < len(heard) < len(sentences)
        audio = deepgram_server.samples(" ".join(sentences[: len(heard)]), rate=24_000)
        assert spoken_audio(frames) == audio
        told = (await socket.until(lambda frame: "code" in frame))[-1]
        assert (told["code"], told["run_id"]) == ("budget_exhausted", stopped["run_id"])
        await socket.say(deepgram_server.samples("Again.") + PAUSE)
        assert (await socket.until_type("turn"))[-1]["text"] == "Again."

    async def settled() -> list[Any] | None:
        found = await entries(thrifty, user, "speech")
        return found if len(found) >= len(heard) else None

    found = await eventually(settled)
    assert [one["characters"] for one in found] == [len(sentences[each]) for each in heard]


async def test_a_kill_loses_no_more_than_the_stretch_that_goes_on(
    thrifty: Scenario, deepgram_server: Deepgram
) -> None:
    user, key = await caller(thrifty)

    async def three() -> list[Any] | None:
        found = await entries(thrifty, user, "listening")
        return found if len(found) == 3 else None

    async with voice(thrifty.server.port, key=key) as socket:
        await begin(socket, respond=False)
        await socket.say(deepgram_server.samples("Only words.") + PAUSE * 3)
        found = await eventually(three)
        assert [round(one["audio_seconds"], 1) for one in found] == [1.0, 1.0, 1.0]
        await asyncio.to_thread(thrifty.server.kill, "everything")
    await asyncio.to_thread(thrifty.server.restart)
    assert await entries(thrifty, user, "listening") == found
