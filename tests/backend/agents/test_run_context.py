"""What a run has used counts against its caps, also what its tools spend."""

from decimal import Decimal

from tests.backend.agents.loop_fixture import (
    LoopFixture,
    asked,
    called,
    completed,
    quarter,
    said,
)

from cartrita.domain.caps import Caps
from cartrita.domain.events import (
    ToolReturned,
)
from cartrita.tools.schema import tool
from cartrita.tools.tool import ToolContext, ToolOutput


async def test_a_cap_on_money_counts_what_is_known() -> None:
    step = called(("calculator", {"expression": "1"}))
    fixture = LoopFixture(step, step, said("Enough."), costs=quarter)
    done = completed(await fixture.ending(asked(caps=Caps(cost=0.4))))
    assert (done.cap, done.calls, done.agents[0].cost) == ("cost", 3, 0.75)


async def spends(context: ToolContext) -> ToolOutput:
    """Spend."""
    context.spending.tell(Decimal("0.25"))
    context.spending.tell(Decimal("0.125"))
    return ToolOutput("spent")


async def test_a_cap_on_money_counts_what_tools_spend() -> None:
    step = called(("spends", {}))
    fixture = LoopFixture(step, step, said("Enough."), tools=(tool(spends),))
    claimed = asked(caps=Caps(cost=0.7))
    done = completed(await fixture.ending(claimed))
    assert (done.cap, done.calls) == ("cost", 3)
    assert done.agents[0].cost is None, "of models, whose prices are not known"
    events, steps = fixture.recorded(claimed)
    returned = [event.cost for event in events if isinstance(event, ToolReturned)]
    assert returned == [0.375, 0.375]
    again = LoopFixture(said("Enough."), tools=(tool(spends),))
    resumed = completed(await again.resumed(claimed, events[:-2], steps))
    assert (resumed.cap, resumed.calls) == ("cost", 3), "what was spent before a crash counts"


async def test_the_money_of_a_task_counts_what_its_tools_spend() -> None:
    caps = {"caps": {"cost": 0.3}}
    work = {"instructions": "You work.", "tools": ["spends"], "limits": caps}
    fixture = LoopFixture(
        called(("delegate", {"agent": "worker", "task": "Spend."})),
        called(("spends", {})),
        said("I spent it."),
        said("Well."),
        tools=(tool(spends),),
        overrides={"worker": work, "supervisor": {"delegates": ["worker"], "tools": []}},
    )
    claimed = asked()
    assert completed(await fixture.ending(claimed)).cap is None
    assert "of cost is used up" in fixture.results(claimed)[-1][1]
