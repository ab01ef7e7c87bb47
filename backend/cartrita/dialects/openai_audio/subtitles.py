"""Writes transcripts as subtitles: SubRip and WebVTT.

Source: https://www.w3.org/TR/webvtt1/; SubRip has no standard, and is written as Whisper does.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from cartrita.domain.speech import SpokenSegment, SpokenWord, Transcript

_LONGEST: Final = 84
"""In characters: two lines of the 42 that subtitles have as a rule."""
_PAUSE_S: Final = 1.0
"""A longer pause between two words begins another subtitle."""
_ENDS: Final = (".", "!", "?", "…")


def cues(transcript: Transcript) -> list[SpokenSegment]:
    """What is shown when: the segments, else the words together, else all of it at once."""
    if transcript.segments:
        return list(transcript.segments)
    if transcript.words:
        return [_cue(group) for group in _groups(transcript.words)]
    if transcript.text:
        return [SpokenSegment(transcript.text, 0.0, transcript.duration)]
    return []


def srt(transcript: Transcript) -> str:
    """SubRip: numbered from 1, times with a comma."""
    return "".join(
        f"{number}\n{_span(cue, ',')}\n{_shown(cue.text)}\n\n"
        for number, cue in enumerate(cues(transcript), 1)
    )


def vtt(transcript: Transcript) -> str:
    """WebVTT, in which `&` and `<` are written as entities."""
    shown = (
        f"{_span(cue, '.')}\n{_shown(cue.text).replace('&', '&amp;').replace('<', '&lt;')}\n\n"
        for cue in cues(transcript)
    )
    return "WEBVTT\n\n" + "".join(shown)


def _groups(words: Iterable[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Words that are shown together: of one sentence, with no long pause, and not too many."""
    group: list[SpokenWord] = []
    length = 0
    for word in words:
        if group and _begins_another(group[-1], word, length):
            yield group
            group, length = [], 0
        group.append(word)
        length += len(word.text) + 1
    if group:
        yield group


def _begins_another(last: SpokenWord, word: SpokenWord, length: int) -> bool:
    paused = word.start - last.end > _PAUSE_S
    return paused or last.text.endswith(_ENDS) or length + len(word.text) > _LONGEST


def _cue(group: list[SpokenWord]) -> SpokenSegment:
    return SpokenSegment(" ".join(word.text for word in group), group[0].start, group[-1].end)


def _span(cue: SpokenSegment, point: str) -> str:
    return f"{_time(cue.start, point)} --> {_time(max(cue.start, cue.end), point)}"


def _time(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and milliseconds: `01:02:03,004`."""
    rest = max(round(seconds * 1000), 0)
    rest, milliseconds = divmod(rest, 1000)
    rest, whole = divmod(rest, 60)
    hours, minutes = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{milliseconds:03}"


def _shown(text: str) -> str:
    """On one line, as a blank one ends a subtitle, and without the arrow of times."""
    return " ".join(text.split()).replace("-->", "->")
