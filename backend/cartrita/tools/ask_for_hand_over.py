"""The tool `ask_for_hand_over`: a person does what an agent cannot, or should not."""

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from cartrita.domain.desktop import HAND_OVER
from cartrita.domain.desktop_films import Shown
from cartrita.domain.ids import ConversationId
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.desktop_use import DesktopUse
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput


def hand_over_tool(use: DesktopUse) -> Tool:
    """The tool, whose calls wait as those do that a person decides on: until they hand back."""

    async def ask_for_hand_over(
        _: ToolContext,
        reason: Annotated[
            str,
            Meta(
                description="What the person is to do, in a sentence or two.",
                min_length=1,
                max_length=1000,
            ),
        ],
    ) -> ToolOutput:
        """Ask the person to take the desktop over: to sign in, to pay, or to prove who they are.

        You go on when they have handed it back. Take a new screenshot then.
        """
        del reason
        return ToolOutput("The person has handed the desktop back. Take a new screenshot.")

    async def shown(conversation_id: ConversationId, _: JsonObject) -> Shown | None:
        return await use.shown(conversation_id, ())

    made = tool(ask_for_hand_over, name=HAND_OVER, risk=Risk.CHECK, parallel=False)
    return replace(made, shown=shown)
