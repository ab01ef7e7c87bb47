"""Needs: what requests and desktops ask of a model, compared with the profiles of models."""

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from cartrita.dialects.losses import NATIVE, field_name
from cartrita.domain.messages import Attachment, Part, ToolCall, ToolResult
from cartrita.domain.models import ModelProfile
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import request_tokens

_NOUNS = {
    "vision": "images",
    "audio": "audio",
    "documents": "documents",
    "tools": "tools",
    "json": "JSON answers",
}
CONTEXT = "context"
OF_DESKTOPS: Final = ("tools", "vision")
"""The capabilities by which a model uses a desktop."""


def lacking(profile: ModelProfile, capabilities: Collection[str]) -> tuple[str, ...]:
    """Those that models of a profile are known to lack; of one that is not known, none."""
    if not profile.known:
        return ()
    return tuple(one for one in capabilities if one not in profile.capabilities)


class Need(msgspec.Struct, frozen=True):
    """A capability that a field of a request asks for; `noun` names what the model must take.

    The capability `context` is a window of so many `tokens`.
    """

    capability: str
    field: str
    noun: str
    tokens: int = 0

    def met_by(self, profile: ModelProfile) -> bool:
        """Whether a model of this profile will do; of one that is not known we do not know."""
        if self.capability != CONTEXT:
            return not lacking(profile, (self.capability,))
        most = profile.context_tokens if profile.known else None
        return most is None or self.tokens <= most


def find_needs(request: ModelRequest) -> tuple[Need, ...]:
    """All that a request needs, each capability once, at the first field that asks for it.

    Fields are named as the caller's dialect names them. The window must hold the answer too, up to
    its limit.
    """
    needs: dict[str, Need] = {}
    dialect = request.origin or NATIVE
    for number, message in enumerate(request.messages):
        otherwise = f"messages[{number}]" if request.origin is None else "messages"
        for part in message.parts:
            for capability, asking in _capabilities(part):
                if capability not in needs:
                    place = request.places.find(asking)
                    field = f"{place.path}.type" if place else field_name(otherwise, dialect)
                    _add(needs, capability, field)
    if request.functions:
        _add(needs, "tools", "tools")
    for capability in OF_DESKTOPS if request.computer else ():
        _add(needs, capability, "tools")
    if request.response_format.kind != "text":
        _add(needs, "json", field_name("response_format", dialect))
    tokens = request_tokens(request) + (request.sampling.max_tokens or 0)
    field = field_name("messages", dialect)
    needs[CONTEXT] = Need(CONTEXT, field, f"{tokens} tokens", tokens)
    return tuple(needs.values())


def _add(needs: dict[str, Need], capability: str, field: str) -> None:
    needs.setdefault(capability, Need(capability, field, _NOUNS[capability]))


def _capabilities(part: Part) -> Iterator[tuple[str, Part]]:
    """What a part needs, and the part of it that does."""
    match part:
        case Attachment(media_type=media_type):
            if kind := _kind(media_type):
                yield kind, part
        case ToolResult(content=content):
            yield "tools", part
            for one in content:
                yield from _capabilities(one)
        case ToolCall():
            yield "tools", part
        case _:
            pass


def _kind(media_type: str) -> str | None:
    kind = media_type.partition("/")[0]
    if kind == "text":
        return None
    return {"image": "vision", "audio": "audio"}.get(kind, "documents")
