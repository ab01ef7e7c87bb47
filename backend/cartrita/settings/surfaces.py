"""Settings of the compatible APIs: the OpenAI-compatible one and those of older frontends."""

from typing import Annotated

from pydantic import Field

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Port, Word


class Compat(Group):
    """Switches for frontends that were written against other backends."""

    cartrita_frontend: Annotated[
        bool,
        Setting(
            "Whether the browser client of the original backend is served as it is, keys in URLs "
            "included for callers on this machine: see older-frontends.md.",
            env="CARTRITA_COMPAT_FRONTEND",
        ),
    ] = False


class OpenAICompat(Group):
    """The APIs below /v1, which the SDKs of OpenAI and Anthropic speak."""

    enable: Annotated[bool, Setting("Whether they are served.", env="OPENAI_COMPAT_ENABLE")] = True
    port: Annotated[
        Port | None,
        Setting(
            "One more port to bind, for clients that expect these APIs there.",
            env="OPENAI_COMPAT_PORT",
            value="a whole number from 0 to 65535",
            example="8001",
        ),
    ] = None
    model_name: Annotated[
        Word,
        Setting(
            "A model name under which the assistant answers, besides `cartrita`.",
            env="OPENAI_COMPAT_MODEL_NAME",
        ),
    ] = "cortex-flow"
    max_context_tokens: Annotated[
        int,
        Field(ge=1, le=100_000_000),
        Setting(
            "The most tokens of history that agents are given below /v1.",
            env="OPENAI_COMPAT_MAX_CONTEXT_TOKENS",
        ),
    ] = 8000
    max_choices: Annotated[
        int,
        Field(ge=1, le=128),
        Setting(
            "The most answers (`n`) to a chat completion request that is translated, each of which "
            "is a call of its own; a request that is passed on as it is may ask for 128.",
            env="OPENAI_COMPAT_MAX_CHOICES",
        ),
    ] = 8
    counting_model: Annotated[
        Word,
        Setting(
            "The model of OpenAI whose tokenizer counts for models of others.",
            env="OPENAI_COMPAT_TOKEN_MODEL",
        ),
    ] = "gpt-4"
