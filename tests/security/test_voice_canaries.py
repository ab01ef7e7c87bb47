"""Keys of those who speak show nowhere, though the engines of voice repeat them in their errors."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping

import pytest
from tests.harness.deepgram.faults import Close, Deed, Fault, Page, Place, Refuse, Send
from tests.harness.deepgram.launch import KEY as DEEPGRAM_KEY
from tests.harness.deepgram.launch import Deepgram, deepgram
from tests.harness.documents import form
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.harness.voice_sockets import PAUSE, RATE, VoiceSocket, live_settings, voice
from tests.harness.websockets import Frame
from tests.security.canaries import Canaries
from tests.security.owners import made
from tests.security.test_brought_canaries import shown
from tests.security.test_canaries import dump, told
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.slow

QUESTION = "What grows on stones?"
PLACES: tuple[Place, ...] = ("POST /v1/listen", "POST /v1/speak", "WS /v1/listen", "WS /v1/speak")
AUDIO_PATHS = ("/v1/audio/transcriptions", "/v1/audio/speech")
STATUSES = (400, 401, 402, 403, 404, 429, 500, 503)
Call = Callable[[], Awaitable[list[str]]]


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def engines(canaries: Canaries) -> Iterator[Deepgram]:
    """A Deepgram that knows the key that a caller sends, and one that was exchanged."""
    keys = [canaries.plant(f"{way} of Deepgram") for way in ("a sent key", "an exchanged key")]
    with deepgram(keys=[DEEPGRAM_KEY, *keys]) as running:
        yield running


@pytest.fixture
def upstream(canaries: Canaries) -> Iterator[FakeProvider]:
    """An OpenAI that knows the key that a caller sends."""
    key = f"sk-{canaries.plant('a sent key of OpenAI')}"
    with fake_provider(seed=7, key=PROVIDER_KEY, more_keys=[key]) as running:
        yield running


@pytest.fixture
def heard(upstream: FakeProvider, engines: Deepgram) -> Iterator[Scenario]:
    """A server with no key of Deepgram's own."""
    settings = {
        **live_settings(engines),
        "DEEPGRAM_API_KEY": "",
        "CARTRITA_LOG_LEVEL": "debug",
        "CARTRITA_ROUTES_FIRST_PAUSE_S": "0.02",
        "CARTRITA_ROUTES_LONGEST_PAUSE_S": "0.1",
    }
    with Server(provider_url=upstream.base_url, settings=settings) as server:
        yield Scenario(server, upstream)


async def over_http(
    scenario: Scenario, engine: str, headers: Mapping[str, str], recording: bytes
) -> list[str]:
    """The answers to a recording and to a text, by each route that takes one."""
    asked: list[tuple[str, str, bytes]] = []
    for path in ("/api/voice/transcribe", "/api/voice/process", "/api/chat/voice"):
        speaks = {"synthesizer": engine, "speak": "true", "format": "wav"}
        fields = {"transcriber": engine, **({} if path.endswith("transcribe") else speaks)}
        asked.append((path, *form(("audio", "said.wav", recording), fields=fields)))
    speech = json.dumps({"text": QUESTION, "format": "wav", "synthesizer": engine}).encode()
    asked.append(("/api/voice/speak", "application/json", speech))
    models = {"deepgram": ("nova-3", "aura-2-thalia-en"), "openai": ("whisper-1", "tts-1")}[engine]
    hears, speaks_by = (f"{engine}/{model}" for model in models)
    file = ("file", "said.wav", recording)
    asked.append((AUDIO_PATHS[0], *form(file, fields={"model": hears})))
    asked.append((AUDIO_PATHS[0], *form(file, fields={"model": hears, "stream": "true"})))
    spoken = {"model": speaks_by, "input": QUESTION, "voice": "alloy", "response_format": "wav"}
    asked.append((AUDIO_PATHS[1], "application/json", json.dumps(spoken).encode()))
    return [
        await told(scenario, "POST", path, {**headers, "Content-Type": kind}, body)
        for path, kind, body in asked
    ]


async def over_socket(
    scenario: Scenario, auth: Mapping[str, str], engine: str, sound: bytes
) -> list[str]:
    """What a spoken turn is told, to its end, whatever ends it."""
    async with voice(scenario.server.port, key=None) as socket:
        frames: list[Frame] = []
        try:
            await socket.send(type="auth", **auth)
            start = {"transcriber": engine, "synthesizer": engine}
            await socket.send(type="start", sample_rate=RATE, **start)
            await socket.say(sound + PAUSE)
            await socket.send(type="stop")
            await until_over(socket, frames)
        except ConnectionClosed as closed:
            frames.append({"closed": str(closed)})
    return [json.dumps(each, default=repr) for each in frames]


async def until_over(socket: VoiceSocket, frames: list[Frame]) -> None:
    """Gather frames until nothing more comes of a turn."""
    while True:
        frames.append(await socket.next())
        kinds = {each.get("type") for each in frames}
        answered = any(each.get("type") == "turn" and "run_id" in each for each in frames)
        ended = "stopped" in kinds or any(each.get("code") == "not_started" for each in frames)
        if ended and (not answered or kinds & {"speech_done", "speech_stopped"}):
            return


def repeating(key: str) -> Iterator[Deed]:
    """What Deepgram could answer that repeats a key."""
    for number, status in enumerate(STATUSES):
        shape = ("legacy", "modern", "text")[number % 3]
        head = {"dg-error": f"No: Token {key}"}
        yield Refuse(status=status, shape=shape, code=key, message=f"No: {key}.", headers=head)  # pyright: ignore[reportArgumentType]
    yield Page(status=200, content_type="application/json", body=json.dumps({"results": key}))
    yield Page(status=502, content_type="text/plain", body=f"Authorization: Token {key}")


async def with_faults(engines: Deepgram, key: str, call: Call) -> list[str]:
    """The answers to calls that each place of Deepgram refuses by repeating their key."""
    answers: list[str] = []
    for deed in repeating(key):
        for place in PLACES:
            engines.fail(Fault(at=place, do=deed, times=50))
        answers += await call()
        engines.reset()
    error = json.dumps({"type": "Error", "code": key, "description": f"No: {key}"})
    for place in PLACES[2:]:
        for deed in (Close(1008, f"No: {key}"[:120]), Send(text=error), Close(1011, key[:120])):
            engines.fail(Fault(at=place, do=deed, after=1, times=50))
            answers += await call()
            engines.reset()
    return answers


def assert_hidden(canaries: Canaries, answers: list[str]) -> None:
    for answer in answers:
        assert not canaries.found(answer), answer


async def test_keys_of_deepgram_show_nowhere(
    heard: Scenario, engines: Deepgram, canaries: Canaries
) -> None:
    sent, exchanged = (
        canaries.planted[f"{way} of Deepgram"] for way in ("a sent key", "an exchanged key")
    )
    by_owner = {"X-API-Key": KEY, "Content-Type": "application/json"}
    body = {"provider": "deepgram", "key": exchanged}
    await made(heard, by_owner, "/api/credentials", body)
    everything: list[str] = []
    for key, headers, auth in (
        (sent, {"X-API-Key": sent, "X-Cartrita-Provider": "deepgram"}, {"provider": "deepgram"}),
        (exchanged, {"X-API-Key": KEY}, {}),
    ):
        first = {"api_key": headers["X-API-Key"], **auth}

        async def call(
            headers: Mapping[str, str] = headers, first: Mapping[str, str] = first
        ) -> list[str]:
            recording, sound = engines.recording(QUESTION), engines.samples(QUESTION)
            answers = await over_http(heard, "deepgram", headers, recording)
            return answers + await over_socket(heard, first, "deepgram", sound)

        answers = await call()
        assert [each[:3] for each in answers[:7]] == ["200"] * 7, answers
        assert any('"speech_done"' in each for each in answers), answers
        paid = {
            each.headers["authorization"]
            for each in engines.exchanges()
            if each.path in ("/v1/listen", "/v1/speak")
        }
        assert paid == {f"Token {key}"}, "the caller's key is the one that is at stake"
        everything += answers + await with_faults(engines, key, call)
    wrong = canaries.plant("a key that Deepgram refuses")
    refused = {"X-API-Key": wrong, "X-Cartrita-Provider": "deepgram"}
    for place in PLACES:
        engines.fail(Fault(at=place, do=Refuse(status=401, message=f"No: {wrong}"), times=50))
    engines.fail(
        Fault(at="GET /v1/projects", do=Refuse(status=500, message=f"No: {wrong}"), times=50)
    )
    everything += await over_http(heard, "deepgram", refused, engines.recording(QUESTION))
    first = {"api_key": wrong, "provider": "deepgram"}
    everything += await over_socket(heard, first, "deepgram", engines.samples(QUESTION))
    everything += await shown(heard)
    everything.append(await told(heard, "GET", "/api/voice", {"X-API-Key": KEY}))
    assert_hidden(canaries, everything)
    assert not canaries.found(await dump(heard))
    heard.server.stop()
    assert not canaries.found(heard.server.log_path.read_text())


async def test_keys_of_openai_show_nowhere(
    heard: Scenario, engines: Deepgram, canaries: Canaries
) -> None:
    key = f"sk-{canaries.planted['a sent key of OpenAI']}"
    headers = {"X-API-Key": key}
    recording, sound = engines.recording(QUESTION), engines.samples(QUESTION)

    async def call() -> list[str]:
        answers = await over_http(heard, "openai", headers, recording)
        return answers + await over_socket(heard, {"api_key": key}, "openai", sound)

    everything = await call()
    assert [each[:3] for each in everything[:7]] == ["200"] * 7, everything
    for status in STATUSES:
        body = json.dumps({"error": {"message": f"No: Bearer {key}", "code": key, "type": key}})
        fault = ReplacedResponse(status=status, body=body)
        for path in AUDIO_PATHS:
            heard.provider.script(Script(faults=(fault,)), default=True, path=path)
        everything += await call()
    heard.provider.reset()
    assert_hidden(canaries, everything)
    assert not canaries.found(await dump(heard))
    heard.server.stop()
    assert not canaries.found(heard.server.log_path.read_text())
