"""Contexts of tool calls, for the tests of tools."""

from decimal import Decimal
from typing import Any

from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.principals import Principal
from cartrita.domain.run_parts import RunPart
from cartrita.domain.step_places import StepPlace
from cartrita.kit.ids import uuid7
from cartrita.tools.tool import ToolContext


async def _silent(_status: str, _progress: float | None) -> None:
    """A progress that nobody reads."""


def context(**values: Any) -> ToolContext:
    """A call of Ann's; its id is `call_1`."""
    run_id, conversation_id = RunId(uuid7()), ConversationId(uuid7())
    part = RunPart(run_id, conversation_id, "assistant")
    given: dict[str, Any] = {
        "principal": Principal("ann", "key"),
        "run_id": run_id,
        "conversation_id": conversation_id,
        "call_id": "call_1",
        "place": StepPlace((1, 1)),
        "progress": _silent,
        "spending": ToolSpending(part, list[Decimal]().append),
        **values,
    }
    return ToolContext(**given)
