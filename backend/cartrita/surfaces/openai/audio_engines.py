"""What a model's name stands for in requests for audio: an engine, or whatever is usual here."""

import re
from typing import Final, NamedTuple

from cartrita.application.voice.engines import E, Engines
from cartrita.domain.errors import (
    CartritaError,
    InvalidInput,
    NotFound,
    TooLarge,
    UnsupportedMedia,
)
from cartrita.domain.principals import Principal
from cartrita.domain.receipts import Receipt
from cartrita.domain.recordings import FIELD
from cartrita.surfaces.openai.models import OWNER

OPENAI: Final = "openai"
_OF_OPENAI: Final = re.compile(
    r"whisper-1|tts-1(-hd)?(-\d+)?|gpt-([a-z0-9.]+-)*(transcribe|tts)(-diarize)?(-\d{4}-\d\d-\d\d)?"
)
_FIELDS: Final = {
    FIELD: "file",
    "format": "response_format",
    "synthesizer": "model",
    "text": "input",
    "transcriber": "model",
}
"""Our fields by the names that OpenAI's API has for them."""


class ChosenEngine(NamedTuple):
    """An engine as `provider/model`, or None for the usual ones, and what that approximates."""

    name: str | None
    receipts: tuple[Receipt, ...] = ()


async def chosen_engine(engines: Engines[E], principal: Principal, model: str) -> ChosenEngine:
    """The engine of a name. Raises NotFound, as an API of models does for one that is not there.

    `provider/model` and `provider` are that one, and `cartrita` is what is usual. So is a model of
    OpenAI for callers without access to OpenAI, which a receipt tells. Other names are models of
    the providers that offer them.
    """
    services = {one.name: one for one in engines.services}
    if model.partition("/")[0] in services:
        return ChosenEngine(model)
    if model == OWNER:
        return ChosenEngine(None)
    if _OF_OPENAI.fullmatch(model):
        openai = services.get(OPENAI)
        if openai is not None and await engines.usable(principal, openai):
            return ChosenEngine(f"{OPENAI}/{model}")
        return ChosenEngine(None, (_instead_of(model),))
    for service in services.values():
        if any(one.name == model for one in service.models):
            return ChosenEngine(f"{service.name}/{model}")
    known = ", ".join(services) or "none"
    raise NotFound(
        f"The model `{model[:100]}` does not exist here. Name one as provider/model, of these "
        f"providers: {known}; or say {OWNER} for the usual one.",
        code="model_not_found",
    )


def in_openai_words(error: CartritaError) -> CartritaError:
    """The error with the names that the fields have in OpenAI's API."""
    if isinstance(error, TooLarge | UnsupportedMedia):
        error.details["param"] = _FIELDS[FIELD]
    if not isinstance(error, InvalidInput):
        return error
    message, fields = error.message, dict[str, list[str]]()
    for name, problems in error.fields.items():
        told = _FIELDS.get(name, name)
        fields[told] = problems
        if message.startswith(f"{name}: "):
            message = f"{told}{message.removeprefix(name)}"
    return InvalidInput(message, fields=fields, code=error.code)


def _instead_of(model: str) -> Receipt:
    return Receipt(
        field="model",
        source=OPENAI,
        target=OWNER,
        kind="approximated",
        why=f"{OPENAI} has no key here: the usual model takes the place of {model}.",
    )
