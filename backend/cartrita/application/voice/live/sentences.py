"""Sentences of an answer that is still being written, as they are read aloud.

They are a function of the answer's text alone: in whatever pieces it comes, sentence 3 is the same
sentence, so that somebody who was cut off can ask for the rest. The text is Markdown: blocks of
code and tables are skipped, and a list's items and headings are sentences.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from cartrita.application.voice.live.read_aloud import read_aloud

LONGEST: Final = 300
"""In characters, before it is made fit to be read: a longer sentence is cut."""
_SHORTEST_CUT: Final = 100

_MARK: Final = re.compile(r"[ \t]*(?:#{1,6}|[-*+]|\d{1,3}[.)]|>)[ \t]")
_MAYBE_MARK: Final = re.compile(r"[ \t]*(?:#{0,6}|[-*+]?|\d{1,3}[.)]?|>?|`{1,3}|~{1,3})")
_FENCE: Final = re.compile(r"[ \t]*(```|~~~)")
_CLOSING: Final = "\"'”’»)]}*_`"
_ENDS_AT_ONCE: Final = frozenset("。！？")
_ENDS: Final = frozenset(".!?…")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(\[\"'“‘*_])(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|approx|fig|vol|pp?|ca|cf|inc|"
    r"ltd|co|dept|usw|bzw|nr|sog|evtl|ggf|z\.b|d\.h|u\.a|i\.d\.r|e\.g|i\.e|"
    r"(?:\w\.)*\w|\d{1,2})\.$",
    re.IGNORECASE,
)
"""What a full stop does not end: abbreviations, initials, and numbers that are counted with."""


class Sentences:
    """Takes the text in pieces, and gives each sentence once it is known where it ends."""

    def __init__(self) -> None:
        self._line = ""
        self._line_decided = False
        self._skips_line = False
        self._fence: str | None = None
        self._heading = False
        self._raw = ""
        self._ended = False

    def take(self, text: str) -> list[str]:
        """More of the text; the sentences that end in it."""
        return _spoken(raw for character in text for raw in self._next(character))

    def finish(self) -> list[str]:
        """The text ends here; what is left."""
        left = [] if self._line_decided or self._fence else list(self._decide())
        return _spoken([*left, *self._end()])

    def _next(self, character: str) -> Iterator[str]:
        if character == "\n":
            yield from self._end_line()
        elif not self._line_decided:
            self._line += character
            if not _MAYBE_MARK.fullmatch(self._line):
                yield from self._decide()
        elif not self._skips_line and self._fence is None:
            yield from self._add(character)
        elif self._fence is not None:
            self._line += character

    def _decide(self) -> Iterator[str]:
        """Say what a line is by its beginning: code, a row of a table, an item, or text."""
        line, self._line_decided = self._line, True
        if self._fence is not None:
            return
        if fence := _FENCE.match(line):
            yield from self._end()
            self._fence = fence[1]
            self._skips_line = True
        elif line.lstrip().startswith("|"):
            yield from self._end()
            self._skips_line = True
        else:
            yield from self._begin_text(line)

    def _begin_text(self, line: str) -> Iterator[str]:
        mark = _MARK.match(line)
        if mark is not None:
            yield from self._end()
            self._heading = "#" in mark[0]
            line = line[mark.end() :]
        for character in line:
            yield from self._add(character)

    def _end_line(self) -> Iterator[str]:
        if self._fence is not None:
            if not self._skips_line and _closes(self._line.strip(), self._fence):
                self._fence = None
        else:
            blank = not self._line_decided and not self._line.strip()
            if not self._line_decided:
                yield from self._decide()
            if blank or self._heading:
                yield from self._end()
            elif not self._skips_line:
                yield from self._add(" ")
        self._line, self._line_decided = "", self._fence is not None
        self._skips_line = self._heading = False

    def _add(self, character: str) -> Iterator[str]:
        """One more character of text, which may show that the sentence before it has ended."""
        if self._ended and not character.isspace():
            self._ended = False
            if not character.islower():
                yield from self._end()
        self._raw += character
        if character in _ENDS_AT_ONCE:
            yield from self._end()
        elif character.isspace():
            self._ended = self._ended or _ends(self._raw.rstrip())
        elif len(self._raw) >= LONGEST:
            yield from self._cut()

    def _cut(self) -> Iterator[str]:
        """End a long sentence where one takes a breath."""
        at = max(self._raw.rfind(mark, _SHORTEST_CUT) for mark in (", ", "; ", ": ", " – ", " — "))
        if at < 0:
            at = self._raw.rfind(" ", _SHORTEST_CUT)
        cut = len(self._raw) if at < 0 else at + 1
        rest, self._raw = self._raw[cut:], self._raw[:cut]
        yield from self._end()
        self._raw = rest

    def _end(self) -> Iterator[str]:
        raw, self._raw, self._ended = self._raw, "", False
        if raw.strip():
            yield raw


def _spoken(found: Iterable[str]) -> list[str]:
    return [text for raw in found if (text := read_aloud(raw))]


def _closes(line: str, fence: str) -> bool:
    return line.startswith(fence) and not line.strip(fence[0])


def _ends(text: str) -> bool:
    """Whether a sentence ends with this, if the next one does not go on with a small letter."""
    bare = text.rstrip(_CLOSING)
    if not bare or bare[-1] not in _ENDS:
        return False
    return bare[-1] != "." or _ABBREVIATION.search(bare[-40:]) is None
