"""The type of what does an assignment, for those that the loop calls and that call it."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from cartrita.agents.assignment import Assignment, Conclusion
from cartrita.agents.run_context import RunContext

Work: TypeAlias = Callable[[RunContext, Assignment], Awaitable[Conclusion]]
"""Does an assignment within a run. Raises CartritaError and ApprovalsNeeded."""
