"""Files on a real database, with their bytes in memory and a reader that tests script."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from obstore.store import MemoryStore

from cartrita.adapters.blobs.blobs import Blobs
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_contents import ContentTable
from cartrita.adapters.persistence.file_reading import ReadingTable
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.adapters.persistence.uploads import UploadTable
from cartrita.application.files.context import FileContext
from cartrita.application.files.files import Files
from cartrita.application.files.reader import FileReader, ReadingLimits
from cartrita.application.files.removal import FileRemoval
from cartrita.application.files.texts import FileTexts
from cartrita.application.files.uploads import UploadLimits, Uploads
from cartrita.domain.files import (
    FilePage,
    FilePurpose,
    FileQuota,
    ReadImage,
    ReadPage,
    StoredFile,
)
from cartrita.domain.principals import Principal

ANN, BOB = Principal("ann", "key"), Principal("bob", "key")
LIMITS = UploadLimits(
    types=("text/*", "image/*", "audio/*"),
    file_bytes=1 << 20,
    files=3,
    quota=FileQuota(10, 8 << 20),
)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


class ScriptedReading:
    """Reads what its `found` says; an exception in it is raised."""

    def __init__(self) -> None:
        self.found: Sequence[str | ReadImage | BaseException] = ("text",)

    async def read(
        self, media_type: str, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[ReadPage | ReadImage]:
        async for _ in content:
            pass
        for number, item in enumerate(self.found, 1):
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, ReadImage):
                yield item
            else:
                yield ReadPage(FilePage(number, item), number / len(self.found))


class FilesFixture:
    """The use cases of files."""

    def __init__(
        self, database: Database, limits: UploadLimits = LIMITS, *, wait_s: float = 0.3
    ) -> None:
        self.store = MemoryStore()
        self.blobs = Blobs(self.store)
        self.reading = ScriptedReading()
        self.removal = FileRemoval(ContentTable(database, arrival_s=60), self.blobs)
        self.reader = FileReader(
            ReadingTable(database, silence_s=60),
            self.blobs,
            self.reading,
            ReadingLimits(file_bytes=1000, interval_s=0.05),
        )
        self.uploads = Uploads(
            UploadTable(database), self.blobs, self.removal, limits, self.reader.wake
        )
        self.files = Files(FileTable(database), self.blobs, self.removal)
        self.texts = FileTexts(FileTable(database), PassageTable(database))
        self.context = FileContext(
            FileTable(database),
            self.blobs,
            self.texts,
            characters=1000,
            wait_s=wait_s,
            image_bytes=1000,
        )

    async def upload(
        self, content: bytes, name: str = "a.txt", principal: Principal = ANN
    ) -> StoredFile:
        async with self.uploads.receiving(principal) as upload:
            await upload.receive("file", name, pieces(content))
            [file] = await upload.finish(FilePurpose())
        return file

    def names(self) -> list[str]:
        """What is stored."""
        return sorted(entry["path"] for batch in self.store.list() for entry in batch)


async def read(
    pool: Database,
    files: FilesFixture,
    *pages: str,
    name: str = "a.txt",
    principal: Principal = ANN,
) -> StoredFile:
    """A file that has been read, with these pages."""
    file = await files.upload(f"{name}{pages}".encode(), name, principal)
    queue = ReadingTable(pool, silence_s=60)
    task = await queue.claim()
    assert task is not None
    await queue.add(task, [FilePage(number, text) for number, text in enumerate(pages, 1)], 1.0)
    await queue.finish(task, None)
    return file
