"""What agents are told of the caller's files."""

from uuid import UUID

from tests.backend.tools.contexts import context

from cartrita.domain.files import ContentId, FileId, FilePage
from cartrita.domain.passages import FileExcerpt, FoundPassage, Passage
from cartrita.domain.principals import Principal
from cartrita.tools.read_file import read_file_tool
from cartrita.tools.search_files import search_files_tool
from cartrita.tools.tool import Risk, Source

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


async def test_passages_are_told_with_their_places() -> None:
    files = Files(Passage(3, 2, 100, "The blue pump"), Passage(4, 1, 0, "A gate"))
    tool = search_files_tool(files)
    assert tool.risk is Risk.READ
    output = await tool.run(context(), {"query": "pump", "max_results": 2})
    assert files.asked == [("pump", None, 2)]
    assert output.text == (
        "These passages in your files match best.\n\n"
        "garden.pdf, page 3 of 9, passage 2, from character 100:\nThe blue pump\n\n"
        "garden.pdf, page 4 of 9, passage 1:\nA gate"
    )
    assert output.sources == (
        Source("garden.pdf, page 3, passage 2", f"{FILE_URL}#page=3&passage=2", "The blue pump"),
        Source("garden.pdf, page 4, passage 1", f"{FILE_URL}#page=4&passage=1", "A gate"),
    )


async def test_where_nothing_is_found_it_is_said() -> None:
    tool = search_files_tool(Files())
    output = await tool.run(context(), {"query": "pump", "file": "a.txt"})
    assert output.text == "Nothing in a.txt was found for: pump"
    assert output.success
    assert not (await tool.run(context(), {"query": ""})).success


async def test_pages_are_told_with_how_to_go_on() -> None:
    files = Files(pages=(FilePage(3, "Three"), FilePage(4, "Fo")), total=9)
    tool = read_file_tool(files)
    output = await tool.run(context(), {"file": "garden.pdf", "first_page": 3, "last_page": 4})
    assert files.asked == [("garden.pdf", 3, 4, 0)]
    assert output.text == (
        "garden.pdf, pages 3 to 4 of 9\n[Page 3]\nThree\n[Page 4]\nFo\n"
        "[There is more: go on with start=7 of 9.]"
    )
    assert output.sources == (
        Source("garden.pdf, page 3", f"{FILE_URL}#page=3", "Three"),
        Source("garden.pdf, page 4", f"{FILE_URL}#page=4", "Fo"),
    )


async def test_the_end_of_pages_is_told() -> None:
    whole = Files(pages=(FilePage(1, "One"),), total=3)
    output = await read_file_tool(whole).run(context(), {"file": "a"})
    assert whole.asked == [("a", 1, 1, 0)]
    assert output.text == "garden.pdf, page 1 of 9\n[Page 1]\nOne"
    empty = read_file_tool(Files())
    blank = await empty.run(context(), {"file": "a"})
    assert (blank.text, blank.success) == ("garden.pdf, page 1 of 9: it has no text.", True)
    beyond = await empty.run(context(), {"file": "a", "start": 9})
    assert (beyond.text, beyond.success) == (
        "garden.pdf, page 1 of 9: it has no more text.",
        False,
    )


async def test_pages_in_the_wrong_order_are_refused() -> None:
    files = Files()
    output = await read_file_tool(files).run(
        context(), {"file": "a", "first_page": 3, "last_page": 2}
    )
    assert not output.success
    assert files.asked == []
