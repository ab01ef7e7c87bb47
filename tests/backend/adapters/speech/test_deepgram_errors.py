"""Each way in which Deepgram refuses is an error that says what to do, and never the key."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.backend.adapters.speech.conftest import AtDeepgram
from tests.harness.deepgram.faults import Cut, Delays, Fault, Hang, Page, Place, Raw, Refuse, Shape
from tests.harness.deepgram.launch import KEY, Deepgram

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.speech.deepgram import DeepgramSynthesizer, DeepgramTranscriber
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.speech import (
    AudioFormat,
    PcmFormat,
    Recording,
    SpeechRequest,
    TranscriptionOptions,
)
from cartrita.kit.secret import Secret

WAV = Recording(data=b"RIFF", media_type="audio/wav")
Ask = Callable[[DeepgramService], Awaitable[Any]]


async def transcribe(service: DeepgramService) -> None:
    await DeepgramTranscriber(service).transcribe(WAV, TranscriptionOptions())


async def speak(service: DeepgramService) -> None:
    async with DeepgramSynthesizer(service).speak(SpeechRequest(text="Moss.")) as speech:
        async for _ in speech.pieces():
            pass


async def listen(service: DeepgramService) -> None:
    listening = DeepgramTranscriber(service).listen(PcmFormat(16_000), TranscriptionOptions())
    async with listening as heard:
        await heard.finish()
        async for _ in heard.events():
            pass


async def converse(service: DeepgramService) -> None:
    request = SpeechRequest(text="", format=AudioFormat.PCM)
    async with DeepgramSynthesizer(service).converse(request) as speaking:
        await speaking.say("Moss.")
        await speaking.finish()
        async for _ in speaking.pieces():
            pass


async def check_key(service: DeepgramService) -> None:
    await DeepgramTranscriber(service).test_key()


ALL: list[tuple[Place, Ask]] = [
    ("POST /v1/listen", transcribe),
    ("POST /v1/speak", speak),
    ("WS /v1/listen", listen),
    ("WS /v1/speak", converse),
    ("GET /v1/projects", check_key),
]
PLACES = pytest.mark.parametrize(("place", "ask"), ALL, ids=[place for place, _ in ALL])


async def error_of(asking: Awaitable[Any]) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        async with asyncio.timeout(60):
            await asking
    error = raised.value
    shown = repr((error.message, error.words, error.details, error.code, str(error)))
    assert KEY not in shown
    assert KEY.upper() not in shown
    assert error.provider == "deepgram"
    return error


@PLACES
@pytest.mark.parametrize("shape", ["legacy", "modern", "text"])
@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, UpstreamRejected, "Check the recording, the model"),
        (401, UpstreamAuth, "Check the key"),
        (402, UpstreamQuota, "Add credit at console.deepgram.com"),
        (403, UpstreamAuth, "a key is given its role"),
        (404, UpstreamRejected, "did not accept"),
        (413, UpstreamRejected, "Send it in parts"),
        (422, UpstreamRejected, "Send the recording again"),
        (429, UpstreamLimited, "CARTRITA_PROVIDER_LIMITS"),
        (500, UpstreamOverloaded, "failed to answer"),
        (503, UpstreamOverloaded, "failed to answer"),
        (504, UpstreamOverloaded, "in parts"),
    ],
)
async def test_each_status_in_each_shape(
    at_deepgram: AtDeepgram,
    standin: Deepgram,
    place: Place,
    ask: Ask,
    shape: Shape,
    status: int,
    kind: type[UpstreamError],
    words: str,
) -> None:
    message = f"No moss for Token {KEY} today."
    refuse = Refuse(status=status, shape=shape, code="MOSS", message=message)
    standin.fail(Fault(at=place, do=refuse))
    error = await error_of(ask(at_deepgram()))
    assert type(error) is kind
    assert words in error.message
    assert error.status == status
    if kind in (UpstreamRejected, UpstreamOverloaded):
        assert "No moss for" in error.message
    if shape != "text":
        assert error.details["upstream_code"] == "MOSS"


@PLACES
async def test_when_to_come_back(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask
) -> None:
    refuse = Refuse(status=429, code="TOO_MANY_REQUESTS", headers={"Retry-After": "7"})
    standin.fail(Fault(at=place, do=refuse))
    error = await error_of(ask(at_deepgram()))
    assert error.retry_after == 7
    assert error.retryable


@PLACES
async def test_a_wrong_key(at_deepgram: AtDeepgram, place: Place, ask: Ask) -> None:
    error = await error_of(ask(at_deepgram(key=Secret("f" * 40))))
    assert type(error) is UpstreamAuth
    assert error.details["upstream_code"] == "INVALID_AUTH"


@PLACES
async def test_a_key_with_a_line_end(at_deepgram: AtDeepgram, place: Place, ask: Ask) -> None:
    error = await error_of(ask(at_deepgram(key=Secret(f"{KEY}\r\nX-Moss: 1"))))
    assert type(error) is UpstreamUnreachable


@PLACES
@pytest.mark.parametrize("reset", [True, False])
async def test_a_connection_that_breaks_at_once(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask, reset: bool
) -> None:
    standin.fail(Fault(at=place, do=Cut(reset)))
    assert isinstance(await error_of(ask(at_deepgram())), UpstreamUnreachable | UpstreamCut)


@PLACES
async def test_an_answer_that_is_no_http(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask
) -> None:
    standin.fail(Fault(at=place, do=Raw(b"moss\r\n\r\n"), times=2))
    error = await error_of(ask(at_deepgram()))
    assert isinstance(error, UpstreamMalformed)


@PLACES
async def test_an_answer_that_does_not_come(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask
) -> None:
    standin.fail(Fault(at=place, do=Hang()))
    error = await error_of(ask(at_deepgram(timeout=0.2, idle=0.2)))
    assert isinstance(error, UpstreamUnreachable | UpstreamCut)


@PLACES
async def test_an_answer_that_is_late(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask
) -> None:
    standin.delay(Delays(answer=20.0))
    error = await error_of(ask(at_deepgram(timeout=0.2, idle=0.2)))
    assert isinstance(error, UpstreamUnreachable | UpstreamCut)


@PLACES
@pytest.mark.parametrize("status", [301, 308])
async def test_a_redirect_is_not_followed(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask, status: int
) -> None:
    where = {"Location": f"{standin.base_url}/v1/projects"}
    standin.fail(Fault(at=place, do=Refuse(status=status, headers=where)))
    error = await error_of(ask(at_deepgram()))
    assert "redirect" in error.message
    assert len(standin.exchanges()) == 1


@PLACES
async def test_a_web_page(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask
) -> None:
    page = Page(status=404, content_type="text/html", body="<h1>No moss</h1>")
    standin.fail(Fault(at=place, do=page))
    error = await error_of(ask(at_deepgram()))
    assert "Check its base URL" in error.message


@pytest.mark.parametrize(("place", "ask"), [one for one in ALL if one[0].startswith("WS")])
async def test_a_success_that_is_no_websocket(
    at_deepgram: AtDeepgram, standin: Deepgram, place: Place, ask: Ask
) -> None:
    standin.fail(Fault(at=place, do=Page(status=200, content_type="text/plain", body="moss")))
    assert isinstance(await error_of(ask(at_deepgram())), UpstreamMalformed)


@PLACES
@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9", "http://nowhere.invalid"])
async def test_nobody_is_there(
    at_deepgram: AtDeepgram, place: Place, ask: Ask, base_url: str
) -> None:
    assert isinstance(await error_of(ask(at_deepgram(base_url=base_url))), UpstreamUnreachable)


async def test_bodies_that_say_nothing(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    bodies = ["", "[1]", json.dumps({"err_msg": {"x": 1}}), "<b>moss</b>", "\0\1"]
    for body in bodies:
        page = Page(status=500, content_type="application/json", body=body)
        standin.fail(Fault(at="POST /v1/listen", do=page))
        error = await error_of(transcribe(at_deepgram()))
        assert type(error) is UpstreamOverloaded
        assert "<b>" not in error.message


async def test_a_key_is_tested_without_costs(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    service = DeepgramTranscriber(at_deepgram(key=Secret("")))
    assert not service.has_key
    theirs = service.with_key(Secret(standin.key))
    assert theirs.has_key
    await theirs.test_key()
    (asked,) = standin.exchanges()
    assert (asked.method, asked.path, asked.query) == ("GET", "/v1/projects", [])


async def test_the_key_is_in_one_header_only(
    standin: Deepgram, http: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    service = DeepgramService(http=http, base_url=standin.base_url, key=Secret(KEY))
    await listen(service)
    await converse(service)
    for asked in standin.exchanges():
        others = {name: value for name, value in asked.headers.items() if name != "authorization"}
        assert KEY not in repr((asked.path, asked.query, others, asked.messages))
        assert asked.headers["authorization"] == f"Token {KEY}"
    assert KEY not in caplog.text
    assert KEY not in repr(service)
