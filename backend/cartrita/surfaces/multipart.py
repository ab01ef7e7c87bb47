"""Bodies of forms with files, read piece by piece: no part is ever whole in memory."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, NoReturn

import msgspec
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from cartrita.domain.errors import Malformed, UnsupportedMedia

MEDIA_TYPE: Final = "multipart/form-data"
_LONGEST_HEADER: Final = 8 << 10
_MOST_HEADERS: Final = 16
_MOST_PARTS: Final = 1_000
_LONGEST_VALUE: Final = 256 << 10
_BROKEN = "The body is no complete form: send multipart/form-data as browsers do."


class FormPart(msgspec.Struct, frozen=True):
    """One part of a form; it is a file if it has a `file_name`."""

    name: str
    file_name: str | None


class FormReader:
    """Reads the parts of a form in their order.

    What a part holds must be read, by `pieces` or by `value`, before the next one is asked for;
    what is not read of it is thrown away.
    """

    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._events: deque[FormPart | bytes | None] = deque()
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._disposition = b""
        self._gathered = bytearray()
        self._parts = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_LONGEST_HEADER,
        )

    async def parts(self) -> AsyncGenerator[FormPart]:
        """The parts. Raises Malformed, and what reading the body raises."""
        while (event := await self._next()) is not None:
            if isinstance(event, FormPart):
                yield event

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The bytes of the part that came last."""
        while (event := await self._next()) is not None:
            if not isinstance(event, bytes):
                raise AssertionError("the part has been read already")
            if not event:
                return
            yield event

    async def value(self) -> str:
        """The text of the part that came last. Raises Malformed if it is too long, or no text."""
        gathered = bytearray()
        async for piece in self.pieces():
            gathered += piece
            if len(gathered) > _LONGEST_VALUE:
                raise Malformed(f"A field of the form has more than {_LONGEST_VALUE >> 10} KiB.")
        return _decoded(bytes(gathered))

    async def _next(self) -> FormPart | bytes | None:
        """A part, a piece of it, or no bytes at its end; None at the end of the form."""
        while not self._events:
            if self._ended:
                return None
            chunk = await anext(self._chunks, None)
            if chunk is None:
                raise Malformed(_BROKEN)
            try:
                self._parser.write(chunk)
            except MultipartParseError:
                raise Malformed(_BROKEN) from None
            self._hand_on()
        return self._events.popleft()

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Malformed(f"The form has more than {_MOST_PARTS:,} parts.")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition.decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            raise Malformed("A part of the form has no name.")
        file_name = options.get(b"filename")
        named = None if file_name is None else _decoded(file_name)
        self._events.append(FormPart(_decoded(options[b"name"]), named))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._gathered += data[start:end]

    def _on_part_end(self) -> None:
        self._hand_on()
        self._events.append(b"")

    def _hand_on(self) -> None:
        """The bytes of a part, which the parser calls out in pieces of any length."""
        if self._gathered:
            self._events.append(bytes(self._gathered))
            self._gathered = bytearray()

    def _on_end(self) -> None:
        self._ended = True


def read_form(request: Request) -> FormReader:
    """The form in the body of a request. Raises UnsupportedMedia, and Malformed."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != MEDIA_TYPE.encode():
        told = kind.decode("latin-1")[:100] or "no Content-Type"
        raise UnsupportedMedia(f"Send {MEDIA_TYPE} instead of {told}.")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:  # RFC 2046
        _refuse_boundary()
    return FormReader(aiter(request.stream()), boundary)


def _refuse_boundary() -> NoReturn:
    raise Malformed("The Content-Type of the form has no boundary of 1 to 70 characters.")


def _decoded(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
