"""The flat fields that older frontends read beside the event and the data of a frame."""

from typing import Final

import msgspec

DONE: Final = b"data: [DONE]\n\n"
"""What follows the last event of a complete answer."""

_DATA: Final = b"data: "
_encode = msgspec.json.Encoder().encode


class _Event(msgspec.Struct, frozen=True):
    event: str
    data: msgspec.Raw


class _Text(msgspec.Struct, frozen=True):
    content: str


class _Problem(msgspec.Struct, frozen=True):
    error: str


_events = msgspec.json.Decoder(_Event)
_texts = msgspec.json.Decoder(_Text)
_problems = msgspec.json.Decoder(_Problem)


def with_flat_fields(event: bytes) -> bytes:
    """An event's JSON object with them; what is no event, as it is."""
    found = _event_in(event)
    return event if found is None else _flattened(event, found)


class FlatFrames:
    """Adds them to the frames of a stream of server-sent events, piece by piece."""

    def __init__(self) -> None:
        self._rest = b""
        self._done = False

    def translate(self, piece: bytes) -> bytes:
        """The lines that a piece completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return b"".join([self._line(line) for line in lines])

    def end(self) -> bytes:
        """What is left of a line that was not completed."""
        return self._rest

    def _line(self, line: bytes) -> bytes:
        if line.startswith(_DATA):
            event = line[len(_DATA) :]
            found = _event_in(event)
            if found is not None:
                self._done = found.event == "done"
                return _DATA + _flattened(event, found) + b"\n"
        elif not line and self._done:
            self._done = False
            return b"\n" + DONE
        return line + b"\n"


def _flattened(event: bytes, found: _Event) -> bytes:
    """Every event is a piece of `content`, which is empty for all but text.

    An `error` is not: the reader that adds up contents would take it for an empty one.
    """
    kind, content, more = b'"content"', b'""', b""
    if found.event == "token":
        content = _encode(_texts.decode(found.data).content)
    elif found.event == "error":
        kind, more = b'"error"', b',"error":' + _encode(_problems.decode(found.data).error)
    return b'%b,"type":%b,"content":%b%b}' % (event.rstrip()[:-1], kind, content, more)


def _event_in(event: bytes) -> _Event | None:
    try:
        return _events.decode(event)
    except ValueError:
        return None
