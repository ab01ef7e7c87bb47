"""Last words have the time of their setting, within that of the process."""

from pathlib import Path

import pytest

from cartrita.assembly.last_words import LastWords, time_for_last_words
from cartrita.settings import Settings
from cartrita.settings.server import Server
from cartrita.settings.voice import Voice


@pytest.mark.parametrize(
    ("words_s", "exit_s", "expected"),
    [
        (2.0, 60.0, LastWords(2.0, 7.0)),
        (60.0, 60.0, LastWords(15.0, 30.0)),
        (2.0, 1.5, LastWords(0.375, 0.75)),
    ],
)
def test_words_and_their_answer_fit_into_the_time_of_the_process(
    tmp_path: Path, words_s: float, exit_s: float, expected: LastWords
) -> None:
    settings = Settings(
        data_dir=tmp_path, voice=Voice(final_words_s=words_s), server=Server(exit_s=exit_s)
    )
    assert time_for_last_words(settings) == expected
