"""The time that last words have on a socket when the server is about to stop."""

from typing import Final

import msgspec

from cartrita.settings import Settings

_ANSWER_S: Final = 5.0
"""How long it may take until a turn is a run and its client knows: a busy moment has passed."""
_PART_OF_EXIT: Final = 0.5
"""The rest is for runs to end and for connections to close before the process is killed."""


class LastWords(msgspec.Struct, frozen=True):
    """Words may be heard for `heard_s`; `until_answered_s` is the whole of a socket's last time."""

    heard_s: float
    until_answered_s: float


def time_for_last_words(settings: Settings) -> LastWords:
    """As long as `voice.final_words_s`, and then some to answer; all within `server.exit_s`."""
    heard_s = settings.voice.final_words_s
    whole_s = min(heard_s + _ANSWER_S, settings.server.exit_s * _PART_OF_EXIT)
    return LastWords(min(heard_s, whole_s / 2), whole_s)
