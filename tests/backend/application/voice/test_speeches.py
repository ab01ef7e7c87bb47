"""Texts are spoken by the first engine that can, and no other once it has begun."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.backend.application.voice.fakes import FakeSynthesizer
from tests.backend.fake_services import Calls, principal
from tests.backend.gateway.fakes import Ledger

from cartrita.application.voice.engines import SYNTHESIZERS, Engines
from cartrita.application.voice.speeches import Speeches
from cartrita.application.voice.takers import Patience
from cartrita.domain.errors import (
    Busy,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    NotOffered,
    Unavailable,
    UpstreamCut,
    UpstreamQuota,
)
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.scopes import Operation, Scopes
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat, SpeechModel, SpeechRequest
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import ServiceMeter

_PATIENT = Patience()


class Saying:
    """Deepgram with a key, and a flite that makes wav and pcm."""

    def __init__(self, patience: Patience = _PATIENT) -> None:
        self.fake = Calls()
        self.ledger = Ledger()
        self.deepgram = FakeSynthesizer("deepgram", "key", needs_key=True)
        self.deepgram.models = (SpeechModel(name="aura-2", voices=("thalia",)),)
        self.embedded = FakeSynthesizer("embedded")
        formats = (AudioFormat.WAV, AudioFormat.PCM)
        self.embedded.models = (SpeechModel(name="flite", voices=("rms",), formats=formats),)
        self.calls = ServiceCalls(
            self.fake.limiter,
            self.fake.paying,
            self.fake.uses,
            meter=ServiceMeter(self.ledger),
            sleep=self.fake.time.sleep,
        )
        services: list[SpeechSynthesizer] = [self.deepgram, self.embedded]
        engines = Engines(services, self.calls, SYNTHESIZERS)
        self.speeches = Speeches(engines, self.calls, patience, self.fake.time.clock)

    async def say(
        self, request: SpeechRequest, wanted: str | None = None, scopes: Scopes | None = None
    ) -> tuple[str, AudioFormat, bytes]:
        caller = principal(scopes=scopes or Scopes())
        async with self.speeches.speak(caller, request, wanted) as speech:
            audio = b"".join([piece async for piece in speech.pieces])
        return speech.engine, speech.format, audio


def text(**values: object) -> SpeechRequest:
    return SpeechRequest(text="Hello.", **values)  # pyright: ignore[reportArgumentType]


async def test_mp3_where_it_can_else_wav() -> None:
    saying = Saying()
    assert await saying.say(text()) == ("deepgram", AudioFormat.MP3, b"deepgram")
    found = await saying.say(text(), "embedded")
    assert found == ("embedded/flite", AudioFormat.WAV, b"embedded")


async def test_a_format_that_only_another_makes() -> None:
    saying = Saying()
    found = await saying.say(text(format=AudioFormat.PCM), "embedded")
    assert found[1] is AudioFormat.PCM
    with pytest.raises(NotOffered, match="wav, pcm only"):
        await saying.say(text(format=AudioFormat.OPUS), "embedded")


async def test_another_speaks_in_a_voice_of_its_own() -> None:
    saying = Saying()
    saying.deepgram.failures = [failed()]
    assert (await saying.say(text(voice="thalia")))[0] == "embedded/flite"
    assert [one.voice for one in saying.embedded.requests] == [None]
    await saying.say(text(voice="nobody"))
    assert [one.voice for one in saying.deepgram.requests] == ["nobody"], "it says so itself"
    await saying.say(text(voice="thalia"), "embedded")
    assert saying.embedded.requests[-1].voice == "thalia"


def failed(kind: type[UpstreamQuota | UpstreamCut] = UpstreamQuota) -> UpstreamQuota | UpstreamCut:
    return kind("It failed.", provider="deepgram", status=402, retryable=False)


async def test_another_speaks_until_the_first_audio() -> None:
    saying = Saying()
    for said in ([failed()], [failed(UpstreamCut)], [b""]):
        saying.deepgram.said = said
        assert (await saying.say(text()))[2] == b"embedded"


async def test_no_other_speaks_after_it() -> None:
    saying = Saying()
    saying.deepgram.said = [b"Hel", failed(UpstreamCut)]
    heard: list[bytes] = []

    async def hear() -> None:
        async with saying.speeches.speak(principal(), text()) as speech:
            keep = heard.append
            async for piece in speech.pieces:
                keep(piece)

    with pytest.raises(UpstreamCut):
        await hear()
    assert heard == [b"Hel"]
    assert saying.embedded.asked == []
    assert [(one.characters, one.outcome) for one in saying.ledger.entries] == [(6, "cut")]


async def test_speech_that_nobody_takes_ends() -> None:
    saying = Saying(Patience(piece_s=0.05))
    saying.deepgram.said = [b"Hel", b"lo."]

    async def hear_the_first_piece_and_no_more() -> None:
        async with saying.speeches.speak(principal(), text()) as speech:
            assert await anext(speech.pieces) == b"Hel"
            await asyncio.Event().wait()

    with pytest.raises(DeadlineExceeded):
        await hear_the_first_piece_and_no_more()
    [entry] = saying.ledger.entries
    assert (entry.characters, entry.outcome) == (6, "cancelled")


async def test_speech_that_is_taken_too_slowly_ends() -> None:
    """No piece waits for as long as one may, and all of them together wait for longer."""
    patience = Patience(piece_s=3600.0)
    saying = Saying(patience)
    saying.deepgram.said = [b"."] * 1000
    time, begun = saying.fake.time, saying.fake.time.now
    heard: list[bytes] = []

    async def hear_piece_after_piece() -> None:
        async with saying.speeches.speak(principal(), text()) as speech:
            async for piece in speech.pieces:
                heard.append(piece)
                if time.now - begun > patience.whole_s(text()):
                    await asyncio.Event().wait()
                time.now += patience.piece_s / 2

    with pytest.raises(DeadlineExceeded):
        await hear_piece_after_piece()
    assert len(heard) == 4


def test_a_speech_has_time_as_long_as_it_lasts() -> None:
    patience = Patience(piece_s=60.0, pace=2.0)
    long = SpeechRequest(text="x" * 1500)
    assert patience.whole_s(long) == 260.0
    assert patience.whole_s(replace(long, speed=0.5)) == 460.0


@pytest.mark.parametrize(
    ("written", "lasts"),
    [("石頭上長什麼" * 150, 200.0), ("27183 " * 20, 60.0), ("BBC DNA " * 25, 45.0)],
    ids=["Chinese", "digits", "spelled"],
)
def test_what_few_characters_say_has_time_too(written: str, lasts: float) -> None:
    """As long as synthesizers speak them, so that who hears them as they come hears them all."""
    assert Patience(piece_s=0.0).whole_s(SpeechRequest(text=written)) > lasts


async def test_taken_seats_are_those_of_all_models_of_a_machine() -> None:
    """Whoever waited for one in vain does not wait again for the same; others may have some."""
    saying = Saying()
    models = (SpeechModel(name="flite"), SpeechModel(name="espeak-ng"))
    saying.embedded.models = models
    saying.embedded.failures = [Busy.now()]
    with pytest.raises(Busy):
        await saying.say(text(), "embedded")
    assert len(saying.embedded.asked) == 1
    saying.deepgram.failures = [Busy.now()]
    assert (await saying.say(text()))[0] == "embedded/flite"


async def test_whose_seats_a_speech_takes_is_known() -> None:
    saying = Saying()
    await saying.say(text())
    assert [one.owner_id for one in saying.deepgram.requests] == [principal().owner_id]


async def test_what_is_opened_is_closed_where_it_is_not_heard_to_its_end() -> None:
    saying = Saying()
    saying.deepgram.said = [b"Hel", b"lo."]
    async with saying.speeches.speak(principal(), text()) as speech:
        assert await anext(speech.pieces) == b"Hel"
    assert saying.deepgram.ends == [True]


async def test_characters_are_in_the_ledger() -> None:
    saying = Saying()
    await saying.say(text())
    [entry] = saying.ledger.entries
    assert (entry.provider, entry.model, entry.characters) == ("deepgram", "speech", 6)


@pytest.mark.parametrize("said", ["", " \n", "x" * (LONGEST_SPEECH + 1)])
async def test_what_is_no_text(said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await Saying().say(SpeechRequest(text=said))
    assert list(caught.value.fields) == ["text"]


async def test_the_scope_of_speech() -> None:
    with pytest.raises(Forbidden, match="voice"):
        await Saying().say(text(), scopes=Scopes(operations=(Operation.CHAT,)))


async def test_where_nothing_speaks() -> None:
    saying = Saying()
    saying.deepgram.key = ""
    saying.embedded.models = ()
    with pytest.raises(Unavailable, match="apt install flite") as caught:
        await saying.say(text())
    assert caught.value.code == "speech_unavailable"


async def require(saying: Saying, request: SpeechRequest, wanted: str | None = None) -> None:
    await saying.speeches.require(principal(), request, wanted)
    assert (saying.deepgram.asked, saying.embedded.asked) == ([], [])


async def test_what_can_be_spoken_is_known_without_asking() -> None:
    saying = Saying()
    await require(saying, text())
    await require(saying, text(voice="rms"))
    await require(saying, text(voice="thalia"), "deepgram")
    await require(saying, text(voice="rms", format=AudioFormat.WAV), "embedded/flite")
    saying.deepgram.unlisted = ("celeste",)
    await require(saying, text(voice="celeste"))


@pytest.mark.parametrize(
    ("request_", "wanted", "field"),
    [
        (text(voice="nobody"), None, "voice"),
        (text(voice="thalia"), "embedded", "voice"),
        (text(format=AudioFormat.OPUS), "embedded", "format"),
        (text(), "nobody", "synthesizer"),
        (text(), "embedded/nope", "synthesizer"),
    ],
)
async def test_what_nobody_can_speak_is_known_without_asking(
    request_: SpeechRequest, wanted: str | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await require(Saying(), request_, wanted)
    assert list(refused.value.fields) == [field]


async def test_that_nothing_speaks_is_known_without_asking() -> None:
    saying = Saying()
    saying.deepgram.key = ""
    saying.embedded.models = ()
    with pytest.raises(Unavailable) as refused:
        await require(saying, text())
    assert refused.value.code == "speech_unavailable"
