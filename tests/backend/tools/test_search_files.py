"""What agents are told of passages of the caller's files."""

from tests.backend.tools.contexts import context
from tests.backend.tools.own_files import FILE_URL, Files

from cartrita.domain.passages import Passage
from cartrita.tools.search_files import search_files_tool
from cartrita.tools.tool import Risk, Source


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
