"""Models that providers offer, and what each can do."""

from typing import Final

import msgspec

from cartrita.domain.tools import ComputerForm

OFFLINE: Final = "offline"
"""The provider of the built-in model, which is no language model: it only repeats what is said."""


class ModelProfile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model can do, as far as known; `context_tokens` is the size of its context window.

    `capabilities` are some of text, stream, tools, json, vision, audio, documents, reasoning,
    embeddings. `known` is false for a model of which nothing is known: it is tried. `continues`
    says how a broken answer of it can be continued: from the partial answer (`prefill`), by asking
    it to go on (`instruction`), or not at all. `computer` are the forms in which a desktop can be
    offered to it, the best first, and `grid` is that of `ComputerTool`.
    """

    capabilities: tuple[str, ...] = ("text", "stream")
    context_tokens: int | None = None
    output_tokens: int | None = None
    known: bool = False
    continues: str | None = "instruction"
    computer: tuple[ComputerForm, ...] = ("function",)
    grid: int | None = None


class ModelInfo(msgspec.Struct, frozen=True):
    """One model at one provider; `name` is the provider's name for it."""

    provider: str
    name: str
    profile: ModelProfile = ModelProfile()

    @property
    def id(self) -> str:
        """`provider/name`: the unambiguous name of the model."""
        return f"{self.provider}/{self.name}"
