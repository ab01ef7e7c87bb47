"""What agents are told of pages of the caller's files."""

from tests.backend.tools.contexts import context
from tests.backend.tools.own_files import FILE_URL, Files

from cartrita.domain.files import FilePage
from cartrita.tools.read_file import read_file_tool
from cartrita.tools.tool import Source


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
