# Generated from the contract by `cartrita contract`: do not edit.
"""What callers pass on as keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from cartrita_client.generated import models


class ChatFields(TypedDict, total=False):
    """What may be said of a message beside its text; see `stream_chat`."""

    agent_override: str | None
    approval: models.ApprovalPolicy | None
    attachments: Sequence[str]
    busy: models.BusyPolicy | None
    client_msg_id: str | None
    context: Sequence[models.EarlierMessage] | Mapping[str, Any]
    conversation_id: str | None
    limits: models.AnswerLimits | Mapping[str, Any] | None
    max_tokens: int | None
    metadata: Mapping[str, Any]
    model: str | None
    provider: str | None
    system: str | None
    temperature: float | None
    tools: Sequence[str]
