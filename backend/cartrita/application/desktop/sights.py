"""What agents have seen of desktops when they decide on what to do there."""

from collections.abc import Sequence
from typing import Self

import msgspec
from msgspec.structs import replace

from cartrita.domain.approvals import Decision
from cartrita.domain.desktop import LOOKS, Action, DesktopId, Done, Screenshot
from cartrita.domain.desktop_errors import ScreenChanged
from cartrita.domain.files import FileId
from cartrita.domain.ports.desktop_use import DesktopCall


class Sight(msgspec.Struct, frozen=True):
    """What an agent was shown last: a version of the screen, and the last picture of it, with what
    the desktop knows it by.

    `step` is the number of its step in which it was shown that. All calls of a step are decided on
    before the first of them is made, so it counts for those of later steps. What the agent itself
    makes of the screen counts at once.
    """

    version: int
    step: int
    picture: FileId | None = None
    digest: str = ""

    def counts_in(self, step: int) -> bool:
        """Whether the calls of this step are decided on by an agent that had seen it."""
        return self.step < step

    def with_picture(self, done: Done, picture: FileId) -> Self:
        """The same with another picture, and the version that the agent has made of it."""
        return replace(self, version=done.version, picture=picture, digest=done.digest)


def decided_on(call: DesktopCall, desktop_id: DesktopId, known: Sight | None) -> Sight | None:
    """What the agent had seen of a desktop when it decided on a call; `known` is so here.

    Another worker may have asked for the approval, and know it: it tells that if it was approved.
    """
    approval = call.approval
    approved = approval is not None and approval.decision is Decision.APPROVED
    if approval is None or not approved or approval.shown is None:
        return known
    shown = approval.shown
    if shown.desktop_id != desktop_id or shown.version is None:
        return None
    if known is not None and known.version == shown.version:
        return known
    return Sight(shown.version, call.step - 1)


def is_enough(sight: Sight | None, step: int, actions: Sequence[Action]) -> bool:
    """Whether an agent that has seen this may do these in a step, as far as is known here.

    The desktop knows whether the screen is still that.
    """
    if _are_looks(actions):
        return sight is not None or not actions or isinstance(actions[0], Screenshot)
    return sight is not None and sight.counts_in(step)


def version_needed(sight: Sight | None, actions: Sequence[Action]) -> int | None:
    """The version that the screen has to have for an agent that has seen this to do these."""
    return None if sight is None or _are_looks(actions) else sight.version


def require_enough(sight: Sight | None, step: int, actions: Sequence[Action]) -> None:
    """Raise ScreenChanged where it is not."""
    if not is_enough(sight, step, actions):
        raise ScreenChanged.unseen()


def seen_after(
    sight: Sight | None, step: int, action: Action, done: Done, picture: FileId
) -> Sight | None:
    """What an agent has seen after an action in a step, of which this came and this picture."""
    acted = not isinstance(action, LOOKS)
    if sight is not None and (acted or sight.version == done.version):
        return sight.with_picture(done, picture)
    if isinstance(action, Screenshot):
        return Sight(done.version, step, picture, done.digest)
    return sight


def _are_looks(actions: Sequence[Action]) -> bool:
    return all(isinstance(one, LOOKS) for one in actions)
