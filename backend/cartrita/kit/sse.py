"""Server-sent events: a parser from bytes to frames, and functions that render frames.

Source: WHATWG HTML, section 9.2 (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

import re

import msgspec

MAX_LINE = 1024 * 1024
MAX_EVENT = 8 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")
# int() refuses more than 4,300 digits; 15 of them are 31,000 years in milliseconds.
_MAX_RETRY_DIGITS = 15


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One dispatched event.

    `event` is its name ("message" when the stream named none), `data` its data lines joined by LF,
    `id` the stream's last event id so far ("" before the first), `retry` the reconnection time in
    milliseconds that arrived since the frame before, None if there was none.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


class TooLong(ValueError):
    """The stream exceeded a limit of its parser; `frames` are those that the same chunk completed.

    LineTooLong    one line, ended or not, is longer than `max_line` bytes
    EventTooLong   the data lines of one event hold more than `max_event` bytes
    """

    def __init__(self, message: str, frames: list[Frame]) -> None:
        super().__init__(message)
        self.frames = frames


class LineTooLong(TooLong):
    """One line, ended or not, is longer than the limit."""


class EventTooLong(TooLong):
    """The data lines of one event together are longer than the limit."""


class Parser:
    """Incremental parser of WHATWG HTML 9.2.6; chunks may be split at any byte.

    A CR ends its line immediately, and a LF after it is skipped, even at the start of the next
    chunk. Lines are decoded one at a time: line ends are ASCII, so the result is the same as
    decoding the whole stream. The two size limits, and ignoring a `retry` of more than 15 digits,
    are additions to the standard.
    """

    def __init__(self, *, max_line: int = MAX_LINE, max_event: int = MAX_EVENT) -> None:
        """Limits are in bytes; `max_line` counts a line without its line end."""
        self._max_line = max_line
        self._max_event = max_event
        self._most = min(max_line, max_event)
        self._rest = bytearray()  # the line that has not ended yet
        self._after_cr = False
        self._first_line = True
        self._data: list[bytes] = []
        self._data_size = 0
        self._event = b""
        self._id = ""
        self._retry: int | None = None
        self._overflow: type[TooLong] | None = None

    @property
    def last_event_id(self) -> str:
        """The Last-Event-ID that a reconnection would send."""
        return self._id

    @property
    def unfinished(self) -> bool:
        """Whether an incomplete line or event is buffered."""
        rest = bytes(self._rest)
        if self._first_line and _BOM.startswith(rest[:3]):
            rest = rest[3:]
        return bool(rest or self._data or self._event)

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the events that `chunk` completes, in order.

        Raises LineTooLong or EventTooLong, and again on every later call.
        """
        if chunk.endswith(b"\n\n") and self._is_between_frames and b"\r" not in chunk:
            return self._feed_whole(chunk)
        frames: list[Frame] = []
        if self._overflow:
            raise self._too_long(self._overflow, frames)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk[chunk.startswith(b"\n") :]
        if not chunk:
            return frames
        self._after_cr = chunk.endswith(b"\r")
        lines = chunk.splitlines()  # of bytes: at CR, LF and CRLF, nowhere else
        rest = b"" if chunk.endswith((b"\r", b"\n")) else lines.pop()
        if lines:
            lines[0] = self._complete_line(lines[0], frames)
            self._process_lines(lines, frames)
        self._buffer(rest, frames)
        return frames

    @property
    def _is_between_frames(self) -> bool:
        return not (
            self._rest
            or self._data
            or self._event
            or self._after_cr
            or self._first_line
            or self._overflow
            or self._retry is not None
        )

    def _feed_whole(self, chunk: bytes) -> list[Frame]:
        """As `feed`, for whole frames, of which most are one line of data."""
        frames: list[Frame] = []
        for block in chunk[:-2].split(b"\n\n"):
            if block.startswith(b"data: ") and b"\n" not in block and len(block) <= self._most:
                data = block[6:].decode("utf-8", "replace")
                frames.append(Frame(data, id=self._id, retry=self._retry))
                self._retry = None
            else:
                self._process_lines([*block.split(b"\n"), b""], frames)
        return frames

    def _complete_line(self, line: bytes, frames: list[Frame]) -> bytes:
        self._buffer(line, frames)
        line = bytes(self._rest)
        self._rest.clear()
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        return line

    def _buffer(self, rest: bytes, frames: list[Frame]) -> None:
        if len(self._rest) + len(rest) > self._max_line:
            raise self._too_long(LineTooLong, frames)
        self._rest += rest

    def _process_lines(self, lines: list[bytes], frames: list[Frame]) -> None:
        for line in lines:
            if len(line) > self._max_line:
                raise self._too_long(LineTooLong, frames)
            if line:
                self._process_field(line, frames)
            elif self._data:
                frames.append(self._dispatch())
            else:
                self._event = b""

    def _process_field(self, line: bytes, frames: list[Frame]) -> None:
        # A comment is a field with an empty name: no branch below matches it.
        name, _, value = line.partition(b":")
        value = value[value.startswith(b" ") :]
        if name == b"data":
            self._data_size += len(value) + 1
            if self._data_size > self._max_event:
                raise self._too_long(EventTooLong, frames)
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
            self._retry = int(value)

    def _dispatch(self) -> Frame:
        frame = Frame(
            data=b"\n".join(self._data).decode("utf-8", "replace"),
            event=self._event.decode("utf-8", "replace") or "message",
            id=self._id,
            retry=self._retry,
        )
        self._data.clear()
        self._data_size = 0
        self._event = b""
        self._retry = None
        return frame

    def _too_long(self, kind: type[TooLong], frames: list[Frame]) -> TooLong:
        self._overflow = kind
        self._rest.clear()
        self._data.clear()
        what, cap = ("line", self._max_line) if kind is LineTooLong else ("event", self._max_event)
        return kind(f"The event stream sent a {what} of more than {cap} bytes.", frames)


def frame(
    data: bytes | str,
    id: str | None = None,  # noqa: A002 - the field's name on the wire
    event: str | None = None,
) -> bytes:
    """Render one event, blank line included.

    Every line of `data` becomes a data line, so CR and CRLF arrive as LF. Raises ValueError where
    `id` or `event` holds a line end, or `id` a NUL.
    """
    head = b""
    if id is not None:
        head += b"id: " + _one_line("id", id, b"\r\n\0") + b"\n"
    if event is not None:
        head += b"event: " + _one_line("event", event, b"\r\n") + b"\n"
    return head + _prefixed(b"data: ", _encode(data)) + b"\n"


def comment(text: str) -> bytes:
    """Render a comment, which readers ignore; used as a heartbeat.

    A blank line follows, for clients that split their input at blank lines.
    """
    return _prefixed(b": ", _encode(text)) + b"\n"


def _prefixed(prefix: bytes, text: bytes) -> bytes:
    if b"\n" in text or b"\r" in text:
        text = (b"\n" + prefix).join(_LINE_END.split(text))
    return prefix + text + b"\n"


def _one_line(name: str, value: str, forbidden: bytes) -> bytes:
    encoded = _encode(value)
    if any(byte in forbidden for byte in encoded):
        raise ValueError(f"The {name} of an event must not hold a line end or a NUL: {value!r}.")
    return encoded


def _encode(text: bytes | str) -> bytes:
    """Encode as UTF-8; a lone surrogate becomes U+FFFD, a surrogate pair its character."""
    if isinstance(text, bytes):
        return text
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
