"""Recordings are transcribed by the first engine that can, for whom it may."""

import pytest
from tests.backend.application.voice.fakes import FakeReader, FakeTranscriber
from tests.backend.fake_services import OWN, SHARED, Calls, principal
from tests.backend.gateway.fakes import Ledger

from cartrita.application.voice.engines import TRANSCRIBERS, Engines
from cartrita.application.voice.transcriptions import Transcriptions
from cartrita.domain.errors import (
    CartritaError,
    EndpointMissing,
    Forbidden,
    InvalidInput,
    NotFound,
    NotOffered,
    RateLimited,
    RecordingRefused,
    Unavailable,
    UnsupportedMedia,
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
from cartrita.domain.ports.speech import Transcriber
from cartrita.domain.scopes import Operation, Scopes
from cartrita.domain.speech import SpeechModel, Transcript, TranscriptionOptions
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import ServiceMeter


class Hearing:
    """Deepgram and OpenAI with these keys, and what is on this machine."""

    def __init__(self, deepgram: str = "key", openai: str = "", *usual: str) -> None:
        self.fake = Calls()
        self.ledger = Ledger()
        self.deepgram = FakeTranscriber("deepgram", deepgram, needs_key=True)
        self.openai = FakeTranscriber("openai", openai, needs_key=True)
        self.embedded = FakeTranscriber("embedded")
        self.embedded.models = (
            SpeechModel(name="whisper", needs="Set CARTRITA_VOICE_WHISPER."),
            SpeechModel(name="sphinx"),
        )
        self.calls = ServiceCalls(
            self.fake.limiter,
            self.fake.paying,
            self.fake.uses,
            meter=ServiceMeter(self.ledger),
            sleep=self.fake.time.sleep,
        )
        services: list[Transcriber] = [self.deepgram, self.openai, self.embedded]
        self.transcriptions = Transcriptions(
            Engines(services, self.calls, TRANSCRIBERS, usual), self.calls, FakeReader()
        )

    async def hear(
        self, wanted: str | None = None, owner: str = "ann", scopes: Scopes | None = None
    ) -> Transcript:
        return await self.transcriptions.transcribe(
            principal(owner, scopes or Scopes()), b"words", "said.wav", transcriber=wanted
        )


def upstream(kind: type[UpstreamError], **values: float) -> UpstreamError:
    return kind("It failed.", provider="deepgram", status=500, **values)  # pyright: ignore[reportArgumentType]


async def test_the_first_with_a_key_then_what_is_here() -> None:
    assert (await Hearing().hear()).text == "deepgram usual"
    assert (await Hearing("", "key").hear()).text == "openai usual"
    assert (await Hearing("").hear()).text == "embedded sphinx"


async def test_the_key_of_the_caller_counts_too() -> None:
    hearing = Hearing("")
    hearing.fake.paying.of_owners = {"ann": {"deepgram": OWN}}
    assert (await hearing.hear()).provider == "deepgram"
    assert (await hearing.hear(owner="bob")).provider == "embedded"
    assert hearing.deepgram.asked == ["key-of-ann"]


async def test_the_order_of_the_settings() -> None:
    hearing = Hearing("key", "", "openai/gpt-4o-transcribe", "embedded", "deepgram/nova-2")
    assert (await hearing.hear()).text == "embedded sphinx"
    hearing.embedded.failures = [Unavailable("It crashed.")]
    assert (await hearing.hear()).text == "deepgram nova-2"


async def test_a_setting_that_names_nothing_is_no_fault_of_callers() -> None:
    with pytest.raises(Unavailable) as told:
        await Hearing("", "", "embedded/nope").hear()
    assert told.value.code == "transcription_unavailable"
    assert "voice.transcribers names what is not here, embedded/nope: " in told.value.message
    assert (await Hearing("", "", "embedded/nope", "embedded").hear()).text == "embedded sphinx"


def test_each_name_of_a_setting_that_is_not_here_is_known() -> None:
    named = ("embedded/nope", "deepgram/nova-2", "nobody")
    assert Hearing("", "", *named).transcriptions.engines.missing == ["embedded/nope", "nobody"]


@pytest.mark.parametrize(
    "failed",
    [
        upstream(UpstreamUnreachable),
        upstream(UpstreamLimited, retry_after=3600.0),
        upstream(UpstreamQuota),
        upstream(UpstreamAuth),
        upstream(UpstreamMalformed),
        upstream(EndpointMissing),
        upstream(RecordingRefused),
        RateLimited("Later."),
        NotOffered.of("language", "it knows English only"),
        UnsupportedMedia("Install ffmpeg.", code="ffmpeg_missing"),
    ],
)
async def test_what_another_may_do_better(failed: Exception) -> None:
    hearing = Hearing()
    hearing.deepgram.failures = [failed]
    assert (await hearing.hear()).provider == "embedded"


@pytest.mark.parametrize("kind", [UpstreamOverloaded, UpstreamCut])
async def test_what_fails_in_passing_is_tried_again_before_another(
    kind: type[UpstreamError],
) -> None:
    hearing = Hearing()
    hearing.deepgram.failures = [upstream(kind)]
    assert (await hearing.hear()).provider == "deepgram"
    hearing.deepgram.failures = [upstream(kind), upstream(kind)]
    assert (await hearing.hear()).provider == "embedded"


@pytest.mark.parametrize(
    "failed",
    [
        upstream(UpstreamRejected),
        InvalidInput.of("audio", "it is no recording"),
        Forbidden("No."),
    ],
)
async def test_what_no_other_would_do_better(failed: CartritaError) -> None:
    hearing = Hearing()
    hearing.deepgram.failures = [failed]
    with pytest.raises(type(failed)):
        await hearing.hear()
    assert hearing.embedded.asked == []


@pytest.mark.parametrize("kind", [UpstreamAuth, UpstreamQuota])
async def test_the_caller_is_told_of_its_own_credential(kind: type[UpstreamError]) -> None:
    hearing = Hearing()
    hearing.fake.paying.of_owners = {"ann": {"deepgram": OWN}, "bob": {"deepgram": SHARED}}
    hearing.deepgram.failures = [upstream(kind)]
    with pytest.raises(kind) as caught:
        await hearing.hear()
    assert caught.value.callers_own
    hearing.deepgram.failures = [upstream(kind)]
    assert (await hearing.hear(owner="bob")).provider == "embedded"


async def test_where_all_fail_the_preferred_one_is_told() -> None:
    hearing = Hearing("key", "key")
    hearing.deepgram.failures = [NotOffered.of("language", "it does not know it")]
    hearing.openai.failures = [upstream(UpstreamQuota)]
    hearing.embedded.failures = [Unavailable("It crashed.")]
    with pytest.raises(UpstreamQuota):
        await hearing.hear()
    for one in (hearing.deepgram, hearing.openai, hearing.embedded):
        one.failures = [NotOffered.of("language", f"{one.name} does not know it")]
    with pytest.raises(NotOffered, match="deepgram"):
        await hearing.hear()


@pytest.mark.parametrize(
    "refused", [upstream(UpstreamRejected), InvalidInput.of("audio", "it is cut off")]
)
async def test_where_all_refuse_a_recording_the_first_is_told(refused: Exception) -> None:
    hearing = Hearing("key", "key")
    first = upstream(RecordingRefused)
    hearing.deepgram.failures, hearing.openai.failures = [first], [refused]
    assert (await hearing.hear()).provider == "embedded"
    hearing.deepgram.failures, hearing.openai.failures = [first], [refused]
    hearing.embedded.failures = [UnsupportedMedia("Install ffmpeg.", code="ffmpeg_missing")]
    with pytest.raises(RecordingRefused) as caught:
        await hearing.hear()
    assert caught.value is first


async def test_one_that_is_named_is_the_only_one() -> None:
    hearing = Hearing()
    assert (await hearing.hear("embedded/sphinx")).text == "embedded sphinx"
    assert (await hearing.hear("deepgram/nova-2")).text == "deepgram nova-2"
    hearing.deepgram.failures = [upstream(UpstreamQuota)]
    with pytest.raises(UpstreamQuota):
        await hearing.hear("deepgram")


async def test_one_that_cannot_be_named() -> None:
    hearing = Hearing()
    with pytest.raises(InvalidInput, match="deepgram, openai, embedded"):
        await hearing.hear("nobody/else")
    with pytest.raises(NotFound, match="OPENAI_API_KEY"):
        await hearing.hear("openai")
    with pytest.raises(Unavailable, match="Set CARTRITA_VOICE_WHISPER") as caught:
        await hearing.hear("embedded/whisper")
    assert caught.value.code == "transcription_unavailable"
    with pytest.raises(NotOffered, match="whisper, sphinx") as refused:
        await hearing.hear("embedded/nope")
    assert list(refused.value.fields) == ["transcriber"], "the field that named it"
    assert hearing.embedded.asked == []


async def test_what_is_whole_by_itself_is_the_least_need() -> None:
    hearing = Hearing("")
    hearing.embedded.models = (
        SpeechModel(name="whisper", needs="Choose a model.", own_model=True),
        SpeechModel(name="sphinx", needs="Install it."),
    )
    with pytest.raises(Unavailable, match="Install it"):
        await hearing.hear("embedded")
    with pytest.raises(Unavailable, match="Choose a model"):
        await hearing.hear("embedded/whisper")


async def test_where_there_is_nothing() -> None:
    hearing = Hearing("")
    hearing.embedded.models = ()
    with pytest.raises(Unavailable, match="pip install") as caught:
        await hearing.hear()
    assert caught.value.code == "transcription_unavailable"


async def test_what_the_key_allows() -> None:
    hearing = Hearing()
    with pytest.raises(Forbidden, match="voice"):
        await hearing.hear(scopes=Scopes(operations=(Operation.CHAT,)))
    found = await hearing.hear(scopes=Scopes(providers=("openai", "embedded")))
    assert found.provider == "embedded"
    with pytest.raises(Forbidden, match="deepgram"):
        await hearing.hear("deepgram", scopes=Scopes(providers=("embedded",)))
    with pytest.raises(Forbidden, match="provider"):
        await hearing.hear(scopes=Scopes(providers=("anthropic",)))
    found = await hearing.hear(scopes=Scopes(models=("embedded/*",)))
    assert found.provider == "embedded"
    with pytest.raises(Forbidden, match="nova-2"):
        await hearing.hear("deepgram/nova-2", scopes=Scopes(models=("nova-3",)))


async def test_nobody_is_asked_about_silence() -> None:
    hearing = Hearing()
    found = await hearing.transcriptions.transcribe(principal(), b"")
    assert (found.text, found.words, found.duration) == ("", (), 2.0)
    assert hearing.deepgram.asked == []
    assert hearing.ledger.entries == []


async def test_seconds_are_in_the_ledger() -> None:
    hearing = Hearing()
    hearing.deepgram.failures = [upstream(UpstreamQuota)]
    await hearing.hear()
    assert [
        (one.provider, one.model, one.audio_seconds, one.outcome) for one in hearing.ledger.entries
    ] == [
        ("deepgram", "transcription", 0.0, "failed"),
        ("embedded", "transcription", 2.0, "completed"),
    ]


async def test_what_cannot_translate_is_not_called() -> None:
    hearing = Hearing("key", "key")
    hearing.deepgram.translating = False
    wanted = TranscriptionOptions(translated=True)
    translated = await hearing.transcriptions.transcribe(principal(), b"words", options=wanted)
    assert translated.provider == "openai"
    assert hearing.deepgram.asked == []
    assert [one.provider for one in hearing.ledger.entries] == ["openai"]
    assert (await hearing.hear()).provider == "deepgram"
    with pytest.raises(NotOffered, match="deepgram does not translate"):
        await hearing.transcriptions.transcribe(
            principal(), b"words", options=wanted, transcriber="deepgram"
        )
