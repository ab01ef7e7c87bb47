"""Files of a caller with what a test says of them, for the tests of tools."""

from uuid import UUID

from cartrita.domain.files import ContentId, FileId, FilePage
from cartrita.domain.passages import FileExcerpt, FoundPassage, Passage
from cartrita.domain.principals import Principal

FILE_URL = f"/api/files/file_{1:032x}/content"


class Files:
    """Ann's files: the passages and the pages that a test says."""

    def __init__(self, *passages: Passage, pages: tuple[FilePage, ...] = (), total: int = 0):
        self.passages = passages
        self.pages = pages
        self.total = total
        self.asked: list[tuple[object, ...]] = []

    async def search(
        self, principal: Principal, text: str, *, file: str | None = None, limit: int = 8
    ) -> list[FoundPassage]:
        assert principal.owner_id == "ann"
        self.asked.append((text, file, limit))
        return [
            FoundPassage(
                file_id=FileId(UUID(int=1)),
                content_id=ContentId(UUID(int=2)),
                name="garden.pdf",
                pages=9,
                passage=passage,
            )
            for passage in self.passages
        ]

    async def read(
        self, principal: Principal, file: str, *, first: int, last: int, start: int, characters: int
    ) -> FileExcerpt:
        assert principal.owner_id == "ann"
        self.asked.append((file, first, last, start))
        return FileExcerpt(
            file_id=FileId(UUID(int=1)),
            name="garden.pdf",
            file_pages=9,
            pages=self.pages,
            start=start,
            total=self.total,
        )
