# Generated from the contract by `cartrita contract`: do not edit.
"""What callers pass on as keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from cartrita_client.generated import models


class ChatFields(TypedDict, total=False):
    """What may be said of a message beside its text; see `stream_chat`."""

    client_msg_id: str | None
    provider: str | None
    model: str | None
    context: Sequence[models.EarlierMessage] | Mapping[str, Any]
    agent_override: str | None
    temperature: float | None
    max_tokens: int | None
    tools: Sequence[str]
    attachments: Sequence[str]
    system: str | None
    metadata: Mapping[str, Any]
    limits: models.AnswerLimits | Mapping[str, Any] | None
    approval: models.ApprovalPolicy | None
    busy: models.BusyPolicy | None
    conversation_id: str | None


class VoiceFields(TypedDict, total=False):
    """What may be said of how to listen, to answer and to speak; see `models.StartFrame`."""

    sample_rate: int
    channels: int
    conversation_id: str | None
    provider: str | None
    model: str | None
    agent_override: str | None
    system: str | None
    language: str | None
    transcriber: str | None
    respond: bool
    speak: bool
    synthesizer: str | None
    voice: str | None
    speech_format: Literal["pcm", "wav", "mp3", "opus"]
    turns_end: Literal["with_pause", "when_asked"]
    interim: bool
    on_barge_in: Literal["stop_speaking", "cancel", "ignore"]
    approval: models.ApprovalPolicy | None
    busy: models.BusyPolicy | None
