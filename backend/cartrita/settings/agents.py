"""Settings of the agents: how long they wait for people, and what an operator changes of each."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cartrita.domain.prompts import INSTRUCTIONS_MAX, PRODUCTION, PromptReference
from cartrita.settings.fields import Group, Setting

RESERVED_ID: Final = "model"
"""What runs name instead of an agent where a model answers by itself."""

Names = Annotated[tuple[str, ...], Field(max_length=64)]


class ConfiguredLimits(BaseModel):
    """How much an agent may use for one answer or task."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: int | None = Field(None, ge=1, le=1000)
    tokens: int | None = Field(None, ge=1)
    cost: float | None = Field(None, gt=0)
    seconds: float | None = Field(None, gt=0, le=86_400)
    delegations: int | None = Field(None, ge=0, le=1000)
    depth: int | None = Field(None, ge=0, le=8)
    context_tokens: int | None = Field(None, ge=1000)


class ConfiguredPrompt(BaseModel):
    """A prompt of Langfuse: the version that has a label, or the one of a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    version: int | None = Field(None, ge=1)
    label: str | None = Field(None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.version is not None and self.label is not None:
            raise ValueError("give a label or a version, not both")
        return self

    @property
    def reference(self) -> PromptReference:
        """The same for those who read it."""
        return PromptReference(name=self.name, version=self.version, label=self.label or PRODUCTION)


class ConfiguredAgent(BaseModel):
    """A table `[agents.ID]`: what is given replaces what the agent of this id has.

    An id that no agent has makes a new one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    name: str | None = Field(None, min_length=1, max_length=100)
    description: str | None = Field(None, min_length=1, max_length=1000)
    instructions: str | None = Field(None, max_length=INSTRUCTIONS_MAX)
    instructions_prompt: ConfiguredPrompt | None = None
    tools: Names | None = None
    delegates: Names | None = None
    capabilities: Names | None = None
    aliases: Names | None = None
    route: str | None = Field(None, min_length=1, max_length=256)
    approval: Literal["never", "risky", "always"] | None = None
    limits: ConfiguredLimits | None = None

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value == RESERVED_ID:
            raise ValueError("it stands for a model without an agent; choose another name")
        return value

    @property
    def fields(self) -> dict[str, object]:
        """What is given, by the names that agents have."""
        given = self.model_dump(exclude_none=True, exclude={"id", "limits", "instructions_prompt"})
        if self.limits is not None:
            limits = self.limits.model_dump(exclude_none=True)
            caps = ("steps", "tokens", "cost", "seconds")
            given["limits"] = {
                "caps": {name: value for name, value in limits.items() if name in caps},
                **{name: value for name, value in limits.items() if name not in caps},
            }
        return given


class Agents(Group):
    """The agents that answer; each can be changed by a table of its own, see below."""

    approval_s: Annotated[
        float,
        Field(ge=10, le=604_800),
        Setting("How long a person can decide on what a tool wants to do; then it is denied."),
    ] = 3600.0
    unpriced: Annotated[
        Literal["allow", "refuse"],
        Setting(
            "Whether models whose price is not known may work under a cap on US dollars, which "
            "they do not use up. For budgets see `budgets.unpriced`."
        ),
    ] = "allow"
    entries: tuple[ConfiguredAgent, ...] = ()
