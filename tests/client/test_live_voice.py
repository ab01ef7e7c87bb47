"""Live conversations with a server that hears and speaks, over connections that break."""

from collections.abc import Iterator

import pytest
from tests.browser.tcp_proxy import TcpProxy, tcp_proxy
from tests.client.scenes import ANSWER
from tests.harness.deepgram.faults import Delays, Fault, Refuse
from tests.harness.deepgram.launch import Deepgram
from tests.harness.server import KEY, Server

from cartrita_client import (
    AsyncCartritaApiClient,
    CartritaApiClient,
    CartritaApiError,
    Refused,
    RunEvent,
    SpeechAudio,
    VoiceEvent,
    models,
)
from cartrita_client.generated.models import ApprovalRequiredFrame, DoneFrame

_WORDS = "What grows on stones?"


@pytest.fixture
def proxy(server: Server) -> Iterator[TcpProxy]:
    with tcp_proxy(server.port) as made:
        yield made


def turns(events: list[VoiceEvent]) -> list[models.TurnFrame]:
    return [each for each in events if isinstance(each, models.TurnFrame)]


def answers(events: list[VoiceEvent]) -> list[str]:
    told = [each.event for each in events if isinstance(each, RunEvent)]
    return [each.data.final_response for each in told if isinstance(each, DoneFrame)]


def sound(events: list[VoiceEvent]) -> int:
    return sum(len(each.audio) for each in events if isinstance(each, SpeechAudio))


def test_what_is_said_is_answered_and_spoken(
    client: CartritaApiClient, deepgram_server: Deepgram
) -> None:
    with client.voice() as session:
        session.send_audio(deepgram_server.samples(_WORDS))
        session.end_turn()
        session.stop()
        events = list(session)
    [turn] = turns(events)
    assert turn.text == _WORDS
    assert [word.word for word in turn.words or ()] == _WORDS.split()
    assert answers(events) == [ANSWER]
    assert sound(events) > 0
    stored = client.list_messages(turn.conversation_id or "").items
    assert [each.content for each in stored] == [_WORDS, ANSWER]
    [part] = stored[0].parts
    assert isinstance(part, models.TextPart)
    assert part.spoken is not None
    assert (part.spoken.provider, part.spoken.model) == ("deepgram", "nova-3")
    assert len(part.spoken.words or ()) == len(_WORDS.split())


async def test_what_is_said_is_answered_without_blocking(
    async_client: AsyncCartritaApiClient, deepgram_server: Deepgram
) -> None:
    async with async_client.voice(speak=False) as session:
        await session.send_audio(deepgram_server.samples(_WORDS))
        await session.end_turn()
        await session.stop()
        events = [each async for each in session]
    assert [each.text for each in turns(events)] == [_WORDS]
    assert answers(events) == [ANSWER]
    assert sound(events) == 0


def test_a_call_that_waits_is_decided_on(
    client: CartritaApiClient, deepgram_server: Deepgram
) -> None:
    with client.voice(speak=False, approval="always") as session:
        session.send_audio(deepgram_server.samples("Please calculate."))
        session.end_turn()
        session.stop()
        events: list[VoiceEvent] = []
        asked: list[str] = []
        for each in session:
            events.append(each)
            if isinstance(each, RunEvent) and isinstance(each.event, ApprovalRequiredFrame):
                asked.append(each.event.data.tool_name)
                session.approve(each.run_id, each.event.data)
    assert asked == ["calculator"]
    assert answers(events) == ["It is 42."]


def test_a_cut_in_the_middle_of_a_sentence_loses_no_event(
    proxy: TcpProxy, client: CartritaApiClient, deepgram_server: Deepgram
) -> None:
    with (
        CartritaApiClient(proxy.base, KEY, retry_delay=0.02) as cut_off,
        cut_off.voice() as session,
    ):
        session.send_audio(deepgram_server.samples("Say it in four parts."))
        session.end_turn()
        events: list[VoiceEvent] = []
        for each in session:
            events.append(each)
            if isinstance(each, SpeechAudio):
                break
        proxy.cut()
        proxy.restore()
        session.stop()
        events.extend(session)
    assert sum(isinstance(each, models.ListeningFrame) for each in events) == 2
    [turn] = turns(events)
    told = [each.event for each in events if isinstance(each, RunEvent)]
    assert told == list(client.get_run_events(turn.run_id or "", after=0))
    spoken = {each.sentence for each in events if isinstance(each, models.SpeechEndFrame)}
    assert spoken == set(range(len(spoken)))


def test_a_server_that_cannot_hear_ends_it_with_the_reason(
    client: CartritaApiClient, deepgram_server: Deepgram
) -> None:
    deepgram_server.fail(Fault(at="WS /v1/listen", do=Refuse(status=401), times=3))
    events: list[VoiceEvent] = []
    with client.voice(transcriber="deepgram") as session:
        session.send_audio(deepgram_server.samples(_WORDS))
        with pytest.raises(CartritaApiError) as raised:
            events.extend(session)
    deepgram_server.reset()
    codes = [each.error.code for each in events if isinstance(each, Refused)]
    assert codes[-1] == raised.value.code == "upstream_auth"


def test_after_a_transcriber_that_is_behind_another_session_goes_on(
    client: CartritaApiClient, deepgram_server: Deepgram
) -> None:
    deepgram_server.delay(Delays(answer=5.0))
    with client.voice() as session:
        session.send_audio(bytes(32_000 * 12))  # more than may wait
        with pytest.raises(CartritaApiError) as raised:
            list(session)
    assert raised.value.code == "transcriber_behind"
    deepgram_server.reset()
    with client.voice() as again:
        again.send_audio(deepgram_server.samples(_WORDS))
        again.end_turn()
        again.stop()
        events = list(again)
    assert [turn.text for turn in turns(events)] == [_WORDS]
    assert answers(events) == [ANSWER]


async def test_a_server_that_can_hear_no_more_ends_it_without_blocking(
    async_client: AsyncCartritaApiClient, deepgram_server: Deepgram
) -> None:
    deepgram_server.fail(Fault(at="WS /v1/listen", do=Refuse(status=401), times=3))
    async with async_client.voice(transcriber="deepgram") as session:
        await session.send_audio(deepgram_server.samples(_WORDS))
        with pytest.raises(CartritaApiError) as raised:
            assert [each async for each in session] == []
    deepgram_server.reset()
    assert raised.value.code == "upstream_auth"
