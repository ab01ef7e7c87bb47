"""A live conversation goes on over cuts, and what is asked in it is done or refused."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.server import KEY, Server
from tests.typescript.package import Programs
from tests.typescript.proxies import CutAfter, Network, network

pytestmark = pytest.mark.slow


def told(programs: Programs, what: str) -> dict[str, Any]:
    [fact] = programs.run("voice", what=what)
    return fact


def names(frames: list[dict[str, Any]]) -> list[str]:
    return [each["type"] for each in frames if each["type"] != "ping"]


def test_a_conversation_goes_on_after_a_cut(programs: Programs) -> None:
    fact = told(programs, "cut")
    assert names(fact["events"]) == [
        *("listening", "transcript", "turn", "run_event", "run_event"),
        *("speech_start", "speech", "speech_end", "speech_start", "speech"),
        *("listening", "run_event", "speech_start", "speech", "speech_end", "speech_done"),
        "stopped",
    ]
    assert [each["audio"] for each in fact["events"] if each["type"] == "speech"] == [
        [1, 0, 2, 0]
    ] * 3
    first, second = fact["sent"]
    assert names(first) == ["auth", "start", "audio"]
    assert first[-1]["bytes"] == [1, 0, 2, 0, 3, 0]
    assert names(second) == ["auth", "start", "resume", "stop"]
    start, resume = second[1], next(each for each in second if each["type"] == "resume")
    assert (start["conversation_id"], start["voice"]) == ("conv_1", "amber")
    assert (start["encoding"], start["sample_rate"]) == ("linear16", 16_000)
    assert (resume["after"], resume["from_sentence"]) == (2, 1)
    assert fact["state"] == "closed"
    assert "error" not in fact["ended"]


def test_what_a_cut_swallowed_is_asked_again_and_what_is_refused_is_told(
    programs: Programs,
) -> None:
    fact = told(programs, "asked")
    assert fact["approved"]["error"]["code"] == "arguments_changed"
    refused = [each["code"] for each in fact["events"] if each["type"] == "refused"]
    assert sorted(refused) == ["invalid_audio", "run_not_found"]
    assert "speech" not in names(fact["events"])
    first, second = fact["sent"]
    assert names(first) == ["auth", "start", "audio", "end_turn", "stop_speaking"]
    assert names(second)[:5] == ["auth", "start", "stop_speaking", "cancel", "approve"]


def test_a_server_that_does_not_listen_ends_it(programs: Programs) -> None:
    fact = told(programs, "deaf")
    assert fact["ended"]["error"]["code"] == "transcription_unavailable"
    assert (fact["events"], fact["state"]) == ([], "closed")


def test_a_server_that_listens_no_more_ends_it_once_the_answer_is_told(
    programs: Programs,
) -> None:
    fact = told(programs, "deafened")
    assert fact["ended"]["error"]["code"] == "upstream_cut"
    assert names(fact["events"]) == [
        *("listening", "turn", "refused", "stopped", "run_event", "speech_done"),
    ]
    assert fact["state"] == "closed"


def test_an_error_of_no_run_refuses_no_decision(programs: Programs) -> None:
    fact = told(programs, "decided")
    assert "error" not in fact["approved"]
    assert "invalid_audio" in [each.get("code") for each in fact["events"]]


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.mark.parametrize("events", [1, 2, 3])
def test_a_server_that_hears_and_speaks_is_talked_to_over_cuts(
    events: int,
    quiet_server: Server,
    deepgram_server: Deepgram,
    programs: Programs,
    net: Network,
) -> None:
    rule = CutAfter(events)
    proxy = net.proxy(quiet_server.port, rule.passage)
    sound = base64.b64encode(deepgram_server.samples("What grows on stones?")).decode()
    [fact] = programs.run("live_voice", base=proxy.base, key=KEY, sound=sound)
    assert rule.cuts == 1
    assert fact["text"] == "What grows on stones?"
    assert fact["heard"] > 0
    assert fact["sentences"] == list(range(len(fact["sentences"])))
    assert fact["events"] == fact["logged"]
    assert fact["state"] == "closed"
