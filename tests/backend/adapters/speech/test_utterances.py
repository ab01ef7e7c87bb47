"""Utterances are found by loudness that changes; silence, hiss and hum are none."""

import pytest
from tests.backend.adapters.speech.sounds import babble, noise, silence, tone

from cartrita.adapters.speech.utterances import (
    Began,
    Ended,
    Said,
    UtteranceEvent,
    UtteranceRules,
    Utterances,
)
from cartrita.domain.speech import PcmFormat

LISTENED = PcmFormat(16_000)


def found(sound: bytes, piece: int = 3_200, **rules: float) -> list[UtteranceEvent]:
    utterances = Utterances(LISTENED, UtteranceRules(**rules))
    events = [
        event
        for at in range(0, len(sound), piece)
        for event in utterances.feed(sound[at : at + piece])
    ]
    return [*events, *utterances.end()]


def limits(events: list[UtteranceEvent]) -> list[Began | Ended]:
    return [one for one in events if not isinstance(one, Said)]


def said(events: list[UtteranceEvent]) -> float:
    return sum(len(one.pcm) for one in events if isinstance(one, Said)) / 32_000


def test_an_utterance_begins_and_ends_where_it_is_heard() -> None:
    events = found(silence(1) + babble(2) + silence(1))
    began, ended = limits(events)
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert abs(began.at - 1.0) < 0.1
    assert abs(ended.at - 3.0) < 0.15
    assert ended.speech


def test_its_sound_has_a_little_before_it_and_the_pause_after_it() -> None:
    events = found(silence(3) + babble(2) + silence(2))
    assert 2.8 < said(events) < 3.2


def test_a_pause_parts_two_utterances_and_a_shorter_one_does_not() -> None:
    two = found(babble(1) + silence(0.8) + babble(1) + silence(1))
    one = found(babble(1) + silence(0.4) + babble(1) + silence(1))
    assert (len(limits(two)), len(limits(one))) == (4, 2)


def test_whoever_speaks_at_once_loses_nothing() -> None:
    began = limits(found(babble(2)))[0]
    assert isinstance(began, Began)
    assert began.start == 0


@pytest.mark.parametrize("level", [0.0, 0.001, 0.01, 0.1, 0.9])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_is_no_speech(level: float, seed: int) -> None:
    events = limits(found(noise(8, seed, level=level)))
    assert [one for one in events if isinstance(one, Ended) and one.speech] == []


@pytest.mark.parametrize("sound", [tone(5, hertz=50, level=0.5), tone(5, hertz=1000, level=0.1)])
def test_a_hum_is_no_speech(sound: bytes) -> None:
    events = limits(found(sound))
    assert [one for one in events if isinstance(one, Ended) and one.speech] == []


def test_noise_that_sets_in_is_told_to_be_no_speech() -> None:
    events = limits(found(silence(2) + noise(4, seed=4) + silence(1)))
    assert [one.speech for one in events if isinstance(one, Ended)] in ([], [False])


def test_speech_in_noise_is_found() -> None:
    events = limits(found(noise(2, 7, level=0.01) + babble(2) + noise(2, 8, level=0.01)))
    assert [one.speech for one in events if isinstance(one, Ended)] == [True]


def test_a_click_is_no_utterance() -> None:
    assert found(silence(1) + tone(0.04, level=0.9) + silence(1)) == []


def test_what_goes_on_for_too_long_is_cut() -> None:
    events = limits(found(babble(7), longest=3.0))
    assert len([one for one in events if isinstance(one, Ended)]) == 3


@pytest.mark.parametrize("piece", [1, 2, 641, 100_000])
def test_the_length_of_pieces_changes_nothing(piece: int) -> None:
    sound = silence(0.5) + babble(0.5) + silence(1)
    assert said(found(sound, piece)) == said(found(sound))
    assert limits(found(sound, piece)) == limits(found(sound))


def test_what_is_being_said_can_be_ended() -> None:
    utterances = Utterances(LISTENED)
    utterances.feed(silence(0.5) + babble(1))
    ended = utterances.end()
    assert [type(one) for one in ended] == [Ended]
    assert utterances.end() == []
