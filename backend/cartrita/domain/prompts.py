"""Prompts that are kept elsewhere: which one an agent asks for, and what it got."""

from typing import Final

import msgspec

INSTRUCTIONS_MAX: Final = 100_000
"""Characters of an agent's instructions."""
PRODUCTION: Final = "production"


class PromptReference(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a prompt, or whichever has the label."""

    name: str
    version: int | None = None
    label: str = PRODUCTION


class PromptVersion(msgspec.Struct, frozen=True):
    """The prompt that instructions are from."""

    name: str
    version: int


class Prompt(msgspec.Struct, frozen=True):
    """A prompt as it was read."""

    version: PromptVersion
    text: str


class PromptNotTaken(Exception):
    """A prompt cannot be read, or not be used: `outcome` says why, and `fix` what to do."""

    def __init__(self, outcome: int | str, fix: str) -> None:
        super().__init__(f"{outcome}: {fix}")
        self.outcome = outcome
        self.fix = fix
