"""The tools that agents of this server may be given."""

from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.toolbox import Toolbox


def create_toolbox() -> Toolbox:
    """All of them; the agents name those that they use."""
    return Toolbox((CALCULATOR,))
