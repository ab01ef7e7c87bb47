"""The error of actions on desktops that were begun and have no end."""

from cartrita.domain.errors import Conflict


class ActionBrokeOff(Conflict):
    """Nobody knows whether it was done: it must not be done again before somebody has looked."""

    default_code = "action_broke_off"
