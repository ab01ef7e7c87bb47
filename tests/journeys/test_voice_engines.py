"""Who transcribes and speaks, at whose cost, and what fails says what to do."""

import asyncio
import io
import wave
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.harness import raw_http
from tests.harness.deepgram.faults import Cut, Delays, Fault, Refuse
from tests.harness.deepgram.launch import KEY as DEEPGRAM_KEY
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.journeys.accounts import made, new_key, new_tenant, new_user
from tests.journeys.voice import MODEL, said, spoken
from tests.journeys.voice import deepgram as deepgram
from tests.journeys.voice import speaking as speaking

PROCESS, TRANSCRIBE, CHAT = "/api/voice/process", "/api/voice/transcribe", "/api/chat/voice"
QUESTION = "What grows on stones?"
PAYMENT = Refuse(status=402, code="ASR_PAYMENT_REQUIRED", message="Out of credit.")
BUSY = Refuse(status=429, code="TOO_MANY_REQUESTS", message="Too many requests.")


@pytest.fixture(scope="module")
def keyless(provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Scenario]:
    """A server that knows where Deepgram is, has no key of it, and keeps no recordings."""
    settings = {
        "DEEPGRAM_BASE_URL": deepgram_server.base_url,
        "CARTRITA_VOICE_TRANSCRIBERS": "deepgram",
        "CARTRITA_VOICE_SYNTHESIZERS": "deepgram",
        "CARTRITA_VOICE_KEEP_RECORDINGS": "0",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


async def member(scenario: Scenario, **fields: Any) -> str:
    """The key of a new user of a new tenant."""
    user = await new_user(scenario, await new_tenant(scenario))
    return (await new_key(scenario, user, **fields))["key"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(at="POST /v1/listen", do=PAYMENT),
        Fault(at="POST /v1/listen", do=Refuse(status=401, code="INVALID_AUTH")),
        Fault(at="POST /v1/listen", do=BUSY),
        Fault(at="POST /v1/listen", do=Cut()),
        Fault(at="POST /v1/listen", do=Refuse(status=503), times=2),
    ],
    ids=["402", "401", "429", "cut", "503"],
)
async def test_another_transcribes_where_deepgram_does_not(
    speaking: Scenario, deepgram: Deepgram, fault: Fault
) -> None:
    deepgram.fail(fault)
    status, told = await said(speaking, TRANSCRIBE, deepgram.recording(QUESTION))
    assert (status, told["provider"]) == (200, "openai"), told
    status, told = await said(speaking, TRANSCRIBE, deepgram.recording(QUESTION))
    assert (status, told["provider"]) == (200, "deepgram"), "the next is asked of the first again"


async def test_one_that_is_named_is_asked_alone(speaking: Scenario, deepgram: Deepgram) -> None:
    recording = deepgram.recording(QUESTION)
    for failed, status, code in (
        (PAYMENT, 502, "upstream_quota"),
        (BUSY, 429, "upstream_rate_limited"),
    ):
        deepgram.fail(Fault(at="POST /v1/listen", do=failed))
        found, told = await said(speaking, TRANSCRIBE, recording, transcriber="deepgram/nova-2")
        assert (found, told["code"]) == (status, code), told
    found, told = await said(speaking, TRANSCRIBE, recording, transcriber="nobody")
    assert (found, list(told["errors"])) == (422, ["transcriber"])


async def test_another_reads_what_deepgram_does_not(speaking: Scenario, deepgram: Deepgram) -> None:
    recording = as_24_bits(deepgram.recording(QUESTION))
    status, told = await said(speaking, TRANSCRIBE, recording)
    assert (status, told["provider"]) == (200, "openai"), told
    status, told = await said(speaking, TRANSCRIBE, recording, transcriber="deepgram")
    assert (status, told["code"]) == (400, "upstream_recording_refused")
    assert "corrupt or unsupported" in told["error"]


def as_24_bits(recording: bytes) -> bytes:
    """The same sound, written in a way that the stand-in of Deepgram does not read."""
    with wave.open(io.BytesIO(recording)) as reader:
        rate, samples = reader.getframerate(), reader.readframes(reader.getnframes())
    wider = b"".join(b"\0" + samples[at : at + 2] for at in range(0, len(samples), 2))
    written = io.BytesIO()
    with wave.open(written, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(3)
        writer.setframerate(rate)
        writer.writeframes(wider)
    return written.getvalue()


@pytest.mark.parametrize("path", [PROCESS, CHAT])
async def test_what_nobody_can_speak_is_told_before_anything_is_heard(
    speaking: Scenario, deepgram: Deepgram, path: str
) -> None:
    recording, asked = deepgram.recording(QUESTION), speaking.provider.begun()
    for field, wrong in (
        ("synthesizer", {"synthesizer": "nobody"}),
        ("voice", {"voice": "nobody"}),
        ("voice", {"voice": "nobody", "synthesizer": "deepgram"}),
    ):
        status, told = await said(speaking, path, recording, speak="true", **wrong, **MODEL)
        assert (status, list(told["errors"])) == (422, [field]), told
    assert deepgram.exchanges() == []
    assert speaking.provider.begun() == asked


async def test_another_speaks_until_the_first_audio(speaking: Scenario, deepgram: Deepgram) -> None:
    deepgram.fail(Fault(at="POST /v1/speak", do=PAYMENT))
    status, kind, audio = await spoken(speaking, {"text": "Moss does.", "format": "wav"})
    assert (status, kind, bool(audio)) == (200, "audio/wav", True)
    asked = [one for one in deepgram.exchanges() if one.path == "/v1/speak"]
    assert len(asked) == 1
    deepgram.fail(Fault(at="POST /v1/speak", do=Cut(), after=1))
    with pytest.raises(raw_http.Cut):
        await spoken(speaking, {"text": "Moss does, and lichen.", "format": "wav"})
    log = speaking.server.log_tail(1 << 20)
    [told] = [line for line in log.splitlines() if "speech_cut" in line]
    assert "upstream_cut" in told
    assert "Exception in ASGI application" not in log


async def test_the_error_of_a_speech_that_does_not_begin(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    deepgram.fail(Fault(at="POST /v1/speak", do=PAYMENT))
    asked = {"text": "Moss does.", "synthesizer": "deepgram"}
    status, kind, body = await spoken(speaking, asked)
    assert (status, kind) == (502, "application/json")
    assert b'"upstream_quota"' in body
    for wrong, field in (
        ({"text": " "}, b"text"),
        ({"text": "a" * 32_001}, b"text"),
        ({"text": "a", "format": "gif"}, b"format"),
        ({"text": "a", "speed": 9}, b"speed"),
    ):
        status, _, body = await spoken(speaking, wrong)
        assert status == 422
        assert field in body


async def test_who_brings_a_key_of_deepgram(keyless: Scenario, deepgram: Deepgram) -> None:
    recording = deepgram.recording(QUESTION)
    status, told = await said(keyless, TRANSCRIBE, recording)
    assert (status, told["code"]) == (404, "provider_not_configured"), told
    status, told = await said(keyless, TRANSCRIBE, recording, key=DEEPGRAM_KEY)
    assert (status, told["text"]) == (200, QUESTION), told
    status, told = await said(keyless, PROCESS, recording, key=DEEPGRAM_KEY)
    assert status == 200, told
    assert told["response"]
    _, message = await keyless.call(
        "GET",
        f"/api/conversations/{told['conversation_id']}/messages/{told['message_id']}",
        X_API_Key=DEEPGRAM_KEY,
        X_Cartrita_Provider="deepgram",
    )
    assert message["provider"] == "offline"
    status, told = await said(keyless, PROCESS, recording, key=DEEPGRAM_KEY, **MODEL)
    assert (status, told["code"]) == (403, "scope_provider")
    status, told = await said(keyless, TRANSCRIBE, recording, key="f" * 40)
    assert (status, told["code"]) == (401, "unauthenticated")


async def stored(scenario: Scenario, key: str) -> dict[str, Any]:
    """A key of Deepgram that a user has stored."""
    body = {"provider": "deepgram", "key": DEEPGRAM_KEY}
    return await made(scenario, "POST", "/api/credentials", body, X_API_Key=key)


async def test_a_stored_key_of_deepgram_pays(keyless: Scenario, deepgram: Deepgram) -> None:
    key = await member(keyless)
    exchanged = (await stored(keyless, key))["api_key"]["key"]
    recording = deepgram.recording(QUESTION)
    status, told = await said(keyless, PROCESS, recording, key=key, **MODEL)
    assert (status, told["transcription"]) == (200, QUESTION), told
    status, told = await said(keyless, PROCESS, recording, key=exchanged)
    assert (status, bool(told.get("response"))) == (200, True), told
    for failed, expected, code in (
        (PAYMENT, 402, "upstream_quota"),
        (Refuse(status=401, code="INVALID_AUTH"), 401, "upstream_auth"),
    ):
        deepgram.fail(Fault(at="POST /v1/listen", do=failed))
        status, told = await said(keyless, TRANSCRIBE, recording, key=key)
        assert (status, told["code"]) == (expected, code), told


async def test_what_a_key_may(speaking: Scenario, deepgram: Deepgram) -> None:
    recording = deepgram.recording(QUESTION)
    chats = await member(speaking, scopes={"operations": ["chat"]})
    status, told = await said(speaking, TRANSCRIBE, recording, key=chats)
    assert (status, told["code"]) == (403, "scope_operation")
    voice = await member(speaking, scopes={"operations": ["voice"]})
    status, told = await said(speaking, PROCESS, recording, key=voice, respond="false")
    assert (status, told["response"]) == (200, None), told
    asked = len(deepgram.exchanges())
    status, told = await said(speaking, PROCESS, recording, key=voice)
    assert (status, told["code"]) == (403, "scope_operation")
    assert len(deepgram.exchanges()) == asked, "that is known before anything is transcribed"
    other = await member(speaking, scopes={"providers": ["openai"]})
    status, told = await said(speaking, TRANSCRIBE, recording, key=other)
    assert (status, told["provider"]) == (200, "openai"), told
    status, told = await said(speaking, TRANSCRIBE, recording, key=other, transcriber="deepgram")
    assert (status, told["code"]) == (403, "scope_provider")


async def test_a_budget_in_money(speaking: Scenario, deepgram: Deepgram) -> None:
    user = await new_user(speaking, await new_tenant(speaking))
    key = (await new_key(speaking, user))["key"]
    budgets = {"day": {"money": "0.0003"}}
    await made(speaking, "PUT", f"/api/admin/users/{user}/budgets", budgets)
    recording = deepgram.recording(QUESTION)

    async def refused() -> dict[str, Any] | None:
        status, told = await said(speaking, TRANSCRIBE, recording, key=key, transcriber="deepgram")
        return told if status == 402 else None

    told = await eventually(refused)
    assert told["code"] == "budget_exhausted"
    _, used = await speaking.call("GET", "/api/usage", X_API_Key=key)
    assert Decimal(used["total_cost"]) <= Decimal("0.0003")


async def test_recordings_that_are_not_kept(keyless: Scenario, deepgram: Deepgram) -> None:
    key = await member(keyless)
    await stored(keyless, key)
    status, told = await said(keyless, PROCESS, deepgram.recording(QUESTION), key=key, **MODEL)
    assert status == 200, told
    conversation = told["conversation_id"]
    path = f"/api/conversations/{conversation}/messages"
    _, listed = await keyless.call("GET", path, X_API_Key=key)
    assert "recording_id" not in listed["items"][0]["parts"][0]["spoken"]
    _, files = await keyless.call("GET", "/api/files", X_API_Key=key)
    assert files["items"] == []


async def test_a_limit_of_deepgram(serve: Serve, deepgram: Deepgram) -> None:
    scenario = serve(
        settings={
            **deepgram.settings,
            "CARTRITA_PROVIDER_LIMITS": "deepgram=1/hour",
            "CARTRITA_VOICE_TRANSCRIBERS": "deepgram",
        }
    )
    recording = deepgram.recording(QUESTION)
    assert (await said(scenario, TRANSCRIBE, recording))[0] == 200
    status, told = await said(scenario, TRANSCRIBE, recording)
    assert (status, told["code"]) == (429, "rate_limited")
    assert len(deepgram.exchanges()) == 1


async def test_who_leaves_while_it_is_transcribed_has_sent_nothing(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    before = await counted(speaking)
    deepgram.delay(Delays(answer=30.0))
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(said(speaking, PROCESS, deepgram.recording(QUESTION), **MODEL))
        await eventually(lambda: is_asked(deepgram))
        asking.cancel()

    async def cancelled() -> bool:
        query = "SELECT outcome FROM usage_ledger WHERE provider = 'deepgram' ORDER BY at DESC"
        latest = [row["outcome"] for row in await speaking.fetch(f"{query} LIMIT 1")]
        return latest == ["cancelled"]

    await eventually(cancelled)
    assert await counted(speaking) == before


async def test_nothing_is_sent_once_the_server_is_about_to_stop(
    serve: Serve, deepgram: Deepgram
) -> None:
    scenario = serve(settings=deepgram.settings)
    before = await counted(scenario)
    deepgram.delay(Delays(answer=60.0))
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(said(scenario, PROCESS, deepgram.recording(QUESTION), **MODEL))
        await eventually(lambda: is_asked(deepgram))
        stopping = group.create_task(asyncio.to_thread(scenario.server.stop))

        async def drains() -> bool:
            return '"draining"' in scenario.server.log_tail(1 << 20)

        await eventually(drains)
        deepgram.delay(Delays())
    status, told = asking.result()
    assert (status, told["code"]) == (503, "draining")
    assert stopping.result() == 0
    await asyncio.to_thread(scenario.server.restart)
    assert await counted(scenario) == before


async def is_asked(deepgram: Deepgram) -> bool:
    return bool(deepgram.exchanges())


async def counted(scenario: Scenario) -> dict[str, int]:
    tables = ("conversations", "messages", "runs", "attachments")
    return {one: (await scenario.fetch(f"SELECT count(*) FROM {one}"))[0][0] for one in tables}
