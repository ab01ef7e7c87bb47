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
_LONGEST_MARK: Final = 40
"""Of what stands before a line's text: so many blanks and marks are looked at."""
_PLAIN: Final = re.compile(r"[^\s|.!?…。！？]+(?:[^\S\n][^\s|.!?…。！？]+)*")
"""Words that change nothing but what is being collected, and are taken at once."""
_BLANKS: Final = re.compile(r"[^\S\n]+")

_MARK: Final = re.compile(r"[ \t]*(?:#{1,6}|[-*+]|\d{1,3}[.)]|>)[ \t]")
_MAYBE_MARK: Final = re.compile(r"[ \t]*(?:#{0,6}|[-*+]?|\d{1,3}[.)]?|>?|`{1,3}|~{1,3})")
_FENCE: Final = re.compile(r"[ \t]*(```|~~~)")
_DELIMITER: Final = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*")
"""The second line of a table; its first is a line of text until then."""
_OF_DELIMITER: Final = frozenset(" \t|:-")
_CLOSING: Final = "\"'”’»)]}*_`"
_ENDS_AT_ONCE: Final = frozenset("。！？")
_ENDS: Final = frozenset(".!?…")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(\[\"'“‘*_])(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|approx|fig|vol|pp?|ca|cf|inc|"
    r"ltd|co|dept|usw|bzw|nr|sog|evtl|ggf|z\.b|d\.h|u\.a|i\.d\.r|e\.g|i\.e|"
    r"(?:[^\W\d_]\.)*[^\W\d_])\.$",
    re.IGNORECASE,
)
"""What a full stop does not end: abbreviations and initials."""
_COUNTED: Final = re.compile(
    r"(?:^|[:;]\s*|(?:^|[\s(])(?:(?<!i\s)am|vom|zum|beim|bis|der|den|dem|des|die|das)\s+)\d{1,2}\.$",
    re.IGNORECASE,
)
"""Nor does one behind a number that counts: an item of a list, or a day as it is told in German."""


class Sentences:
    """Takes the text in pieces, and gives each sentence once it is known where it ends."""

    def __init__(self) -> None:
        self._line = ""
        self._line_decided = False
        self._skips_line = False
        self._fence: str | None = None
        self._heading = False
        self._row: str | None = None
        self._has_rows = True
        self._in_table = False
        self._raw = ""
        self._line_start = 0
        self._ended = False
        self._near_end = False

    def take(self, text: str) -> list[str]:
        """More of the text; the sentences that end in it."""
        return _spoken(self._found(text))

    def finish(self) -> list[str]:
        """The text ends here; what is left."""
        return _spoken(self._left())

    def _found(self, text: str) -> Iterator[str]:
        at = 0
        while at < len(text):
            after = self._take_at_once(text, at)
            if after == at:
                yield from self._next(text[at])
                after += 1
            at = after

    def _left(self) -> Iterator[str]:
        if self._row is not None and _DELIMITER.fullmatch(
            self._row if self._line_decided else self._line
        ):
            self._row, self._line = None, ""
        yield from self._release_row()
        if not self._line_decided and self._fence is None:
            yield from self._decide()
        yield from self._end()

    def _take_at_once(self, text: str, at: int) -> int:
        """Take what shows nothing by itself; where it ends."""
        if not self._line_decided:
            return at
        if self._skips_line or self._fence is not None:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            self._line += "" if self._skips_line else text[at:end]
            return end
        return at if self._row is not None else self._take_words(text, at)

    def _take_words(self, text: str, at: int) -> int:
        """Take words that are in the middle of a sentence, or blanks that follow one; their end."""
        blanks = _BLANKS.match(text, at)
        if blanks and (not self._raw or self._raw[-1].isspace()):
            return blanks.end()
        room = LONGEST - 1 - len(self._raw)
        if self._ended or self._near_end or room <= 0:
            return at
        run = _PLAIN.match(text, at, at + room)
        self._raw += run[0] if run else ""
        return run.end() if run else at

    def _next(self, character: str) -> Iterator[str]:
        if character == "\n":
            yield from self._end_line()
        elif not self._line_decided:
            self._line += character
            yield from self._look_at_line(character)
        elif self._row is not None:
            self._row += character
            if len(self._row) > LONGEST:
                self._has_rows = False
                yield from self._release_row()
        elif character == "|" and self._has_rows:
            self._hold_row()
        else:
            yield from self._add(character)

    def _look_at_line(self, character: str) -> Iterator[str]:
        """Decide what the line is, if its last character shows that."""
        if self._row is not None:
            if character in _OF_DELIMITER and len(self._line) <= LONGEST:
                return
            yield from self._release_row()
        if self._in_table:
            self._line_decided = self._skips_line = character == "|"
        elif len(self._line) > _LONGEST_MARK or not _MAYBE_MARK.fullmatch(self._line):
            yield from self._decide()

    def _decide(self) -> Iterator[str]:
        """Say what a line is by its beginning: code, a row of a table, an item, or text."""
        line, self._line_decided = self._line, True
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
            self._has_rows = not self._heading
            line = line[mark.end() :]
        self._line_start = len(self._raw)
        for character in line:
            yield from self._next(character)

    def _end_line(self) -> Iterator[str]:
        if self._fence is not None:
            if not self._skips_line and _closes(self._line.strip(), self._fence):
                self._fence = None
        elif self._row is not None and _DELIMITER.fullmatch(
            self._row if self._line_decided else self._line
        ):
            self._row, self._in_table = None, True
            yield from self._end()
        elif self._row is None or not self._line_decided:
            yield from self._end_text()
        self._line, self._line_decided = "", self._fence is not None
        self._skips_line = self._heading = False
        self._has_rows = True

    def _end_text(self) -> Iterator[str]:
        """The end of a line that is no row which waits for the next one, nor code."""
        yield from self._release_row()
        blank = not self._line_decided and not self._line.strip()
        if not self._line_decided:
            self._in_table = False
            yield from self._decide()
        if blank or self._heading:
            yield from self._end()
        elif not self._skips_line and self._row is None:
            yield from self._add(" ")

    def _hold_row(self) -> None:
        """The line may be the first of a table: what the next one is shows whether it is text."""
        self._row = self._raw[self._line_start :] + "|"
        self._raw = self._raw[: self._line_start]
        self._ended = self._raw[-1:].isspace() and _ends(self._raw.rstrip())
        self._near_end = True

    def _release_row(self) -> Iterator[str]:
        """It is text."""
        row, self._row = self._row or "", None
        for character in row:
            yield from self._add(character)
        if row and not self._line_decided:
            yield from self._add(" ")

    def _add(self, character: str) -> Iterator[str]:
        """One more character of text, which may show that the sentence before it has ended."""
        if self._ended and not character.isspace():
            self._ended = False
            if not character.islower():
                yield from self._end()
        if character.isspace() and (not self._raw or self._raw[-1].isspace()):
            return
        self._raw += character
        self._near_end = character in _ENDS or (self._near_end and not character.isalnum())
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
        start = max(0, self._line_start - cut)
        yield from self._end()
        self._raw, self._line_start, self._near_end = rest, start, True

    def _end(self) -> Iterator[str]:
        raw, self._raw, self._ended = self._raw, "", False
        self._line_start, self._near_end = 0, False
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
    if bare[-1] != ".":
        return True
    tail = bare[-40:]
    return _ABBREVIATION.search(tail) is None and _COUNTED.search(tail) is None
