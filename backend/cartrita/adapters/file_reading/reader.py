"""Reads each file in a process of its own: implements FileReading."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from cartrita.adapters.file_reading.orders import (
    LONGEST_PAGE,
    EndLine,
    ImageLine,
    Line,
    PageLine,
    ReadingBounds,
    ReadingOrder,
    UnreadableLine,
)
from cartrita.adapters.processes.children import started
from cartrita.domain.errors import StorageFull
from cartrita.domain.files import FilePage, ReadImage, ReadPage, UnreadableFile

_MODULE: Final = "cartrita.adapters.file_reading.main"
_LONGEST_LINE: Final = LONGEST_PAGE * 12 + 4096
"""A character takes at most twelve bytes in JSON: two escapes."""
_LARGEST_IMAGE: Final = 64 << 20
_GRACE_S: Final = 5.0
_line = msgspec.json.Decoder(cast("type[Line]", Line))


class ProcessReading:
    """Starts a process for each file, with no environment and within bounds.

    `folder` is where a file is put that is being read; None has it among temporary files.
    """

    def __init__(self, bounds: ReadingBounds, *, folder: Path | None = None) -> None:
        self._bounds = bounds
        self._folder = folder

    async def read(
        self, media_type: str, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[ReadPage | ReadImage]:
        """See FileReading."""
        with tempfile.TemporaryFile(dir=self._folder) as file:
            await _copied(content, file)
            async with self._started(media_type, file) as output:
                async for item in self._in_time(_items(output)):
                    yield item

    async def _in_time(
        self, items: AsyncGenerator[ReadPage | ReadImage]
    ) -> AsyncGenerator[ReadPage | ReadImage]:
        """The items, as long as what is waited for them in all is within the bounds.

        The time that whoever reads them takes in between does not count. Raises UnreadableFile.
        """
        clock = asyncio.get_running_loop().time
        left = self._bounds.seconds + _GRACE_S
        while True:
            asked = clock()
            try:
                async with asyncio.timeout(left):
                    item = await anext(items, None)
            except TimeoutError:
                raise UnreadableFile(
                    f"It takes longer to read than {self._bounds.seconds:g} seconds."
                ) from None
            if item is None:
                return
            left -= clock() - asked
            yield item

    @asynccontextmanager
    async def _started(
        self, media_type: str, file: BinaryIO
    ) -> AsyncGenerator[asyncio.StreamReader]:
        order = msgspec.json.encode(ReadingOrder(media_type, self._bounds)).decode()
        async with started(_MODULE, order, stdin=file, line_bytes=_LONGEST_LINE) as process:
            assert process.stdout is not None
            yield process.stdout


async def _copied(content: AsyncIterator[bytes], file: BinaryIO) -> None:
    """Write a file that the process can seek in. Raises StorageFull."""
    loop = asyncio.get_running_loop()
    try:
        async for piece in content:
            await loop.run_in_executor(None, file.write, piece)
        await loop.run_in_executor(None, file.flush)
    except OSError:
        raise StorageFull("The server's disk is full, so that no file can be read.") from None
    file.seek(0)


async def _items(output: asyncio.StreamReader) -> AsyncGenerator[ReadPage | ReadImage]:
    while True:
        match await _next_line(output):
            case PageLine(number, text, progress):
                yield ReadPage(FilePage(number, text), progress)
            case ImageLine(media_type, size) if size <= _LARGEST_IMAGE:
                yield ReadImage(media_type, await output.readexactly(size))
            case UnreadableLine(reason):
                raise UnreadableFile(reason)
            case EndLine():
                return
            case _:
                raise UnreadableFile("It takes more to read than there is for one file.")


async def _next_line(output: asyncio.StreamReader) -> Line | None:
    """The next line; None if the process has ended without a word, because it took too much."""
    with suppress(ValueError, msgspec.DecodeError):
        return _line.decode(await output.readline())
    return None
