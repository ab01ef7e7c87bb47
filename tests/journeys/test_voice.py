"""What is said is written down, answered and spoken, by Deepgram or what stands in for it."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness import raw_http
from tests.harness.deepgram.faults import Cut, Delays, Fault, Refuse
from tests.harness.deepgram.launch import Deepgram, as_wave
from tests.harness.deepgram.tones import silence
from tests.harness.documents import form
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.voice import MODEL, content, said, spoken
from tests.journeys.voice import deepgram as deepgram
from tests.journeys.voice import speaking as speaking

PROCESS, TRANSCRIBE, CHAT = "/api/voice/process", "/api/voice/transcribe", "/api/chat/voice"
QUESTION = "What grows on stones?"


async def test_a_recording_is_transcribed(speaking: Scenario, deepgram: Deepgram) -> None:
    status, told = await said(
        speaking, TRANSCRIBE, deepgram.recording(QUESTION), language="en", prompt=""
    )
    assert status == 200, told
    assert told["transcription"] == told["text"] == QUESTION
    assert (told["provider"], told["model"], told["language"]) == ("deepgram", "nova-3", "en")
    assert [one["word"] for one in told["words"]] == QUESTION.split()
    assert told["words"][0]["start"] < told["words"][0]["end"] <= told["duration"]
    assert 0 < told["confidence"] <= 1
    [asked] = deepgram.exchanges()
    assert asked.value("language") == "en"


async def test_a_text_is_spoken(speaking: Scenario, deepgram: Deepgram) -> None:
    status, kind, audio = await spoken(speaking, {"text": "Moss does."})
    assert (status, kind) == (200, "audio/mpeg")
    assert audio
    status, kind, audio = await spoken(speaking, {"text": "Moss does.", "format": "wav"})
    assert (status, kind) == (200, "audio/wav")
    assert audio.startswith(b"RIFF")
    _, heard = await said(speaking, TRANSCRIBE, audio)
    assert heard.get("text") == "Moss does.", heard


async def test_a_question_is_answered_and_the_answer_spoken(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    asked = f"What grows on {uuid4().hex}?"
    recording = deepgram.recording(asked)
    status, told = await said(speaking, PROCESS, recording, speak="true", format="wav", **MODEL)
    assert status == 200, told
    assert told["transcription"] == asked
    assert told["response"]
    assert told["speech_error"] is None
    kind, audio = await content(speaking, told["audio_url"])
    assert (kind, audio[:4]) == ("audio/wav", b"RIFF")
    conversation = told["conversation_id"]
    _, listed = await speaking.call("GET", f"/api/conversations/{conversation}/messages")
    question, answer = listed["items"]
    assert (question["role"], question["content"]) == ("user", asked)
    assert (answer["id"], answer["content"]) == (told["message_id"], told["response"])
    heard = question["parts"][0]["spoken"]
    assert (heard["provider"], heard["model"]) == ("deepgram", "nova-3")
    assert [one["text"] for one in heard["words"]] == asked.split()
    _, kept = await content(speaking, f"/api/files/{heard['recording_id']}/content")
    assert kept == recording
    _, files = await speaking.call("GET", f"/api/files?conversation_id={conversation}")
    assert {one["id"] for one in files["items"]} >= {heard["recording_id"]}
    assert len(files["items"]) == 2
    [call] = await speaking.calls_for(asked)
    assert call.prompt == asked, "a model is told the words"


async def test_an_answer_goes_on_in_its_conversation(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    _, first = await said(speaking, CHAT, deepgram.recording("Good morning."), **MODEL)
    status, second = await said(
        speaking,
        CHAT,
        deepgram.recording(QUESTION),
        conversationId=first["conversation_id"],
        **MODEL,
    )
    assert status == 200, second
    assert second["conversation_id"] == first["conversation_id"]
    assert second["transcription"] == QUESTION
    assert second["response"] == second["message"]["content"]
    assert second["audio_url"] is None


async def test_silence_is_not_answered(speaking: Scenario, deepgram: Deepgram) -> None:
    quiet = as_wave(silence(1.0, 16_000), rate=16_000)
    before = await stored(speaking)
    status, told = await said(speaking, PROCESS, quiet, speak="true")
    assert status == 200, told
    assert (told["transcription"], told["words"], told["response"]) == ("", [], None)
    assert (told["run_id"], told["conversation_id"], told["audio_url"]) == (None, None, None)
    status, told = await said(speaking, CHAT, quiet)
    assert (status, told["code"]) == (422, "nothing_said")
    assert await stored(speaking) == before
    assert deepgram.exchanges() == []


async def stored(scenario: Scenario) -> dict[str, Any]:
    """How many rows there are of what a message makes, and how many blobs."""
    tables = ("conversations", "messages", "runs", "attachments", "file_contents")
    counted = {one: (await scenario.fetch(f"SELECT count(*) FROM {one}"))[0][0] for one in tables}
    folder = scenario.server.data_dir / "files"
    return {**counted, "blobs": sorted(each.name for each in folder.rglob("*"))}


async def test_a_request_that_is_sent_again_is_one(speaking: Scenario, deepgram: Deepgram) -> None:
    recording = deepgram.recording(QUESTION)
    once, sent = {"Idempotency-Key": uuid4().hex}, {"speak": "true", **MODEL}
    _, first = await said(speaking, PROCESS, recording, once, **sent)
    before = await stored(speaking)
    status, again = await said(speaking, PROCESS, recording, once, **sent)
    assert status == 200, again
    assert {**again, "processing_time": 0} == {**first, "processing_time": 0}
    assert await stored(speaking) == before
    assert [one.path for one in deepgram.exchanges()] == ["/v1/listen", "/v1/speak"]
    status, told = await said(speaking, PROCESS, deepgram.recording("Another."), once, **sent)
    assert (status, told["code"]) == (422, "idempotency_mismatch")
    assert await stored(speaking) == before


async def test_equal_requests_at_once_are_heard_and_spoken_once(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    recording, once = deepgram.recording(QUESTION), {"Idempotency-Key": uuid4().hex}
    sent = {"speak": "true", "client_msg_id": uuid4().hex, **MODEL}
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(said(speaking, PROCESS, recording, once, **sent)) for _ in range(5)
        ]
    answers = [one.result() for one in asking]
    assert {status for status, _ in answers} == {200}
    assert len({(told["run_id"], told["audio_url"]) for _, told in answers}) == 1
    assert answers[0][1]["audio_url"]
    assert [one.path for one in deepgram.exchanges()] == ["/v1/listen", "/v1/speak"]
    assert await speaking.fetch("SELECT * FROM requests_under_way") == []


async def test_a_message_with_an_id_of_its_own_is_one(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    recording, sent = deepgram.recording(QUESTION), {"client_msg_id": uuid4().hex, **MODEL}
    _, first = await said(speaking, CHAT, recording, **sent)
    _, again = await said(speaking, CHAT, recording, **sent)
    assert again["run_id"] == first["run_id"]
    assert len(deepgram.exchanges()) == 1


async def test_an_id_of_another_message_is_refused(speaking: Scenario, deepgram: Deepgram) -> None:
    """Whoever is answered was heard: the words of another recording are told to nobody."""
    sent = {"client_msg_id": uuid4().hex, **MODEL}
    quiet = as_wave(silence(1.0, 16_000), rate=16_000)
    _, first = await said(speaking, CHAT, deepgram.recording(QUESTION), **sent)
    for path in (CHAT, PROCESS):
        for other in (deepgram.recording("What grows in sand?"), quiet, b""):
            status, told = await said(speaking, path, other, **sent)
            assert (status, told["code"]) == (409, "client_msg_id_reused"), told
    elsewhere = await said(speaking, CHAT, deepgram.recording(QUESTION), **MODEL)
    status, told = await said(
        speaking,
        CHAT,
        deepgram.recording(QUESTION),
        conversation_id=elsewhere[1]["conversation_id"],
        **sent,
    )
    assert (status, told["code"]) == (409, "client_msg_id_reused"), told
    status, told = await said(speaking, CHAT, deepgram.recording(QUESTION), **sent)
    assert (status, told["run_id"]) == (200, first["run_id"])


async def test_an_id_of_a_written_message_is_refused(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    sent = {"client_msg_id": uuid4().hex, **MODEL}
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    body = json.dumps({"message": QUESTION, **sent}).encode()
    request = raw_http.request(speaking.server.port, "POST", "/api/chat", headers, body)
    async with await request as response:
        assert response.status == 200
    status, told = await said(speaking, CHAT, deepgram.recording(QUESTION), **sent)
    assert (status, told["code"]) == (409, "client_msg_id_reused"), told


async def test_a_key_that_was_answered_by_a_message_of_before_stays_with_it(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    recording, once = deepgram.recording(QUESTION), {"Idempotency-Key": uuid4().hex}
    sent = {"client_msg_id": uuid4().hex, **MODEL}
    _, first = await said(speaking, CHAT, recording, **sent)
    other = {"client_msg_id": uuid4().hex, **MODEL}
    for fields, answered in ((sent, 200), (other, 422), (sent, 200)):
        status, told = await said(speaking, CHAT, recording, once, **fields)
        assert status == answered, told
        assert told.get("run_id", first["run_id"]) == first["run_id"]


async def test_a_message_that_comes_twice_at_once_is_one(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    """One is transcribed, and its recording kept."""
    before = (await stored(speaking))["attachments"]
    recording, sent = deepgram.recording(QUESTION), {"client_msg_id": uuid4().hex, **MODEL}
    deepgram.delay(Delays(answer=0.3))
    both = await asyncio.gather(*(said(speaking, CHAT, recording, **sent) for _ in range(3)))
    assert [status for status, _ in both] == [200] * 3, both
    assert len({told["run_id"] for _, told in both}) == 1
    assert {told["transcription"] for _, told in both} == {QUESTION}
    assert (await stored(speaking))["attachments"] == before + 1


async def test_a_run_that_cannot_begin_keeps_nothing(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    before = await stored(speaking)
    recording = deepgram.recording(QUESTION)
    for path in (PROCESS, CHAT):
        status, told = await said(speaking, path, recording, agent_override="nobody")
        assert (status, told["code"]) == (404, "agent_not_found")
        status, told = await said(speaking, path, recording, model="fake/no-such")
        assert (status, told["code"]) == (404, "model_not_found")
    status, told = await said(speaking, PROCESS, recording, conversation_id="conv_" + "0" * 32)
    assert (status, told["code"]) == (404, "conversation_not_found")
    assert deepgram.exchanges() == [], "what nobody answers is known before it is heard"
    assert await stored(speaking) == before


async def test_an_answer_that_cannot_be_spoken_is_an_answer(
    speaking: Scenario, deepgram: Deepgram
) -> None:
    deepgram.fail(Fault(at="POST /v1/speak", do=Refuse(status=402, code="ASR_PAYMENT_REQUIRED")))
    status, told = await said(
        speaking,
        PROCESS,
        deepgram.recording(QUESTION),
        speak="true",
        synthesizer="deepgram",
        **MODEL,
    )
    assert status == 200, told
    assert told["response"]
    assert told["audio_url"] is None
    assert told["speech_error"]["code"] == "upstream_quota"
    deepgram.fail(Fault(at="POST /v1/speak", do=Cut(), after=1))
    before = (await stored(speaking))["blobs"]
    _, told = await said(
        speaking, CHAT, deepgram.recording(QUESTION), speak="true", synthesizer="deepgram", **MODEL
    )
    assert told["speech_error"]["code"] == "upstream_cut"
    after = (await stored(speaking))["blobs"]
    assert len(set(after) - set(before)) <= 1, "what was kept is the recording"


async def test_what_is_said_is_streamed(speaking: Scenario, deepgram: Deepgram) -> None:
    kind, body = form(
        ("audio", "said.wav", deepgram.recording(QUESTION)), fields={"stream": "true", **MODEL}
    )
    headers = {"X-API-Key": KEY, "Content-Type": kind}
    request = raw_http.request(speaking.server.port, "POST", CHAT, headers, body)
    async with await request as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        frames = (await answer.body()).decode()
    assert '"event":"done"' in frames
    first = first_event(frames)
    assert (first["event"], first["data"]["transcription"]) == ("stream_start", QUESTION)
    events = f"/api/runs/{first['data']['run_id']}/events"
    request = raw_http.request(speaking.server.port, "GET", events, {"X-API-Key": KEY}, b"")
    async with await request as answer:
        assert first_event((await answer.body()).decode()) == first
    status, told = await said(
        speaking, CHAT, deepgram.recording(QUESTION), stream="true", speak="true"
    )
    assert (status, list(told["errors"])) == (422, ["speak"])


def first_event(frames: str) -> Any:
    return json.loads(frames.partition("data: ")[2].partition("\n")[0])


async def test_what_can_be_used(speaking: Scenario) -> None:
    _, told = await speaking.call("GET", "/api/voice")
    named = {one["name"]: one for one in told["transcribers"]}
    assert told["transcribers"][0]["name"] == "deepgram"
    assert named["deepgram"]["available"]
    assert named["deepgram"]["needs"] is None
    assert named["deepgram"]["models"][0]["name"] == "nova-3"
    speakers = {one["name"]: one for one in told["synthesizers"]}
    assert "aura-2-thalia-en" in speakers["deepgram"]["models"][0]["voices"]


async def test_what_is_preferred_here_is_told_first(serve: Serve, deepgram: Deepgram) -> None:
    scenario = serve(
        settings={
            **deepgram.settings,
            "CARTRITA_VOICE_TRANSCRIBERS": "openai,embedded/sherpa-onnx,deepgram",
            "CARTRITA_VOICE_SYNTHESIZERS": "embedded/espeak-ng",
        }
    )
    _, told = await scenario.call("GET", "/api/voice")
    heard, spoken = told["transcribers"], told["synthesizers"]
    assert [one["name"] for one in heard[:3]] == ["openai", "embedded", "deepgram"]
    assert heard[1]["models"][0]["name"] == "sherpa-onnx"
    assert spoken[0]["name"] == "embedded"
    assert spoken[0]["models"][0]["name"] == "espeak-ng"


async def test_what_is_used_is_told(speaking: Scenario, deepgram: Deepgram) -> None:
    user = await new_user(speaking, await new_tenant(speaking))
    key = (await new_key(speaking, user))["key"]
    recording = deepgram.recording(QUESTION)
    _, heard = await said(speaking, TRANSCRIBE, recording, key=key)
    await spoken(speaking, {"text": "Moss does."}, key)

    async def look() -> dict[str, Any] | None:
        _, told = await speaking.call("GET", "/api/usage", X_API_Key=key)
        groups = {one["name"]: one for one in told["items"]}
        return groups if len(groups) == 2 else None

    groups = await eventually(look)
    transcription, speech = groups["deepgram/transcription"], groups["deepgram/speech"]
    assert transcription["audio_seconds"] == pytest.approx(heard["duration"])
    assert float(transcription["cost"]) > 0
    assert (speech["characters"], speech["audio_seconds"]) == (len("Moss does."), 0)
    assert float(speech["cost"]) > 0
    _, timeline = await speaking.call("GET", "/api/usage/timeline", X_API_Key=key)
    [day] = timeline["items"]
    assert (day["characters"], day["calls"]) == (10, 2)
