"""What a process has open, beyond its standard streams."""

import os
from typing import Final

_FIRST: Final = 3


def close_inherited() -> None:
    """Close all but the standard streams, such as a socket of the process that started this one.

    The event loop of the server closes nothing for those that it starts.
    """
    os.closerange(_FIRST, os.sysconf("SC_OPEN_MAX"))
