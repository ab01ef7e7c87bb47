"""Commands to answer a message, as all surfaces give them."""

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import BusyPolicy

DEFAULT_SURFACE = "native"
"""The surface recorded for a run that names none; retries and edits exist on this one only."""


class ChatCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be answered and how to answer it, independent of the surface.

    Values are as callers send them: public ids, the names of a provider, a model (or
    `provider/model`) and an agent. None selects the default.
    """

    message: Message
    surface: str = DEFAULT_SURFACE
    conversation_id: str | None = None
    client_msg_id: str | None = None
    provider: str | None = None
    model: str | None = None
    agent: str | None = None
    context: tuple[Message, ...] = ()
    sampling: Sampling = Sampling()
    tools: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    instructions: str | None = None
    metadata: JsonObject = {}
    busy: BusyPolicy | None = None
