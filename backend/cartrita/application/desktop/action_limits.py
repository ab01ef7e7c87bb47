"""What one action of an agent may take."""

from collections.abc import Iterable

import msgspec

from cartrita.domain.desktop import Action, HoldKey, Type, Wait
from cartrita.domain.desktop_errors import ActionRefused


class ActionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`hold_s` is how long one may wait or hold a key, `characters` how much it may type.

    An agent waits `handover_s` for a person to hand back, for which it looks every `poll_s`. It may
    look `looks_max` times in a row at the same.
    """

    hold_s: float
    characters: int
    handover_s: float
    poll_s: float
    looks_max: int

    def require_all(self, actions: Iterable[Action]) -> None:
        """Raise ActionRefused if one of these would take more."""
        for action in actions:
            self._require(action)

    def _require(self, action: Action) -> None:
        match action:
            case HoldKey(seconds=seconds) | Wait(seconds=seconds) if seconds > self.hold_s:
                raise ActionRefused(f"An action may take at most {self.hold_s:g} seconds.")
            case Type(text=text) if len(text) > self.characters:
                raise ActionRefused(f"An action may type at most {self.characters:,} characters.")
            case _:
                return
