"""Sources have one number in the whole answer, whoever found them."""

from tests.backend.agents.loop_fixture import LoopFixture, asked, called, completed, said
from tests.backend.application.fakes import DONE

from cartrita.domain.deltas import CitationDelta, TextDelta
from cartrita.domain.events import (
    SourceFound,
)
from cartrita.domain.messages import Citation
from cartrita.tools.schema import tool
from cartrita.tools.tool import Source, ToolContext, ToolOutput


async def test_sources_are_numbered_once_for_the_whole_run() -> None:
    async def find(_: ToolContext, what: str) -> ToolOutput:
        """Find."""
        return ToolOutput(what, sources=(Source(what, f"https://{what}"), Source("b", "https://b")))

    fixture = LoopFixture(
        called(("find", {"what": "a"}), ("find", {"what": "c"})),
        said("A [1]."),
        tools=(tool(find),),
    )
    claimed = asked()
    done = completed(await fixture.ending(claimed))
    assert done.sources == (
        Citation("a", "https://a", None, 1),
        Citation("b", "https://b", None, 2),
        Citation("c", "https://c", None, 3),
    )
    results = [result for _, result, _ in fixture.results(claimed)]
    assert results[0] == "a\n\nSources:\n[1] a https://a\n[2] b https://b"
    assert results[1] == "c\n\nSources:\n[3] c https://c\n[2] b https://b"
    found = [e for e in fixture.queue.events[claimed.run_id] if isinstance(e, SourceFound)]
    assert len(found) == 3


async def test_what_a_provider_cites_has_a_number_of_its_own() -> None:
    async def find(_: ToolContext) -> ToolOutput:
        """Find."""
        return ToolOutput("a", sources=(Source("a", "https://a"),))

    def cited(title: str) -> CitationDelta:
        return CitationDelta(Citation(title, f"https://{title}"))

    fixture = LoopFixture(
        [cited("page"), *called(("find", {}))],
        [TextDelta("A."), cited("other"), cited("page"), DONE],
        tools=(tool(find),),
    )
    done = completed(await fixture.ending(asked()))
    numbers = [(source.title, source.index) for source in done.sources]
    assert numbers == [("page", 1), ("a", 2), ("other", 3), ("page", 1)]
