"""A live conversation goes on over cuts, and what is asked in it is done or refused."""

from typing import Any

import pytest
from tests.typescript.package import Programs

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
