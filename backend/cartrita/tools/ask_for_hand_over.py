"""The tool `ask_for_hand_over`: a person does what an agent cannot, or should not."""

from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from cartrita.domain.desktop import HAND_OVER
from cartrita.domain.desktop_films import Shown
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.desktop_use import DesktopUse, HandOvers, LastUser
from cartrita.domain.scopes import Operation
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput

_TOLD: Final = {
    LastUser.PERSON: "The person has handed the desktop back. Take a new screenshot.",
    LastUser.PERSON_STILL: "The person still uses the desktop. Take a screenshot: it waits until "
    "they hand it back.",
    LastUser.AGENT: "This was approved, but nobody has taken the desktop over, so what you asked "
    "for may not be done. Take a new screenshot and look, before you go on or ask again.",
}


def hand_over_tool(use: DesktopUse, hand_overs: HandOvers) -> Tool:
    """The tool, whose calls wait as those do that a person decides on: until they hand back."""

    async def ask_for_hand_over(
        context: ToolContext,
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
        last = await hand_overs.last_user(context.conversation_id)
        return ToolOutput(_TOLD[last], success=last is not LastUser.AGENT)

    async def shown(context: ToolContext, _: JsonObject) -> Shown | None:
        return await use.shown(context.conversation_id, context.run_id, context.place, ())

    made = tool(ask_for_hand_over, name=HAND_OVER, risk=Risk.CHECK, parallel=False)
    return replace(made, shown=shown, operation=Operation.DESKTOP)
