"""Port of prompts that are kept elsewhere."""

from typing import Protocol

from cartrita.domain.prompts import Prompt, PromptReference


class PromptReader(Protocol):
    """Reads prompts, in bounded time."""

    async def read(self, reference: PromptReference) -> Prompt:
        """What the reference stands for now. Raises PromptNotTaken."""
        ...
