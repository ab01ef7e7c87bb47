"""Feedback: what a person thinks of an answer."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from cartrita.domain.ids import MessageId, RunId

LOWEST: Final = -100.0
HIGHEST: Final = 100.0
COMMENT_MAX: Final = 10_000
"""Characters."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """How good an answer was, on a scale of the caller's own: the higher, the better.

    `run_id` is the run that wrote it; None where a person did.
    """

    message_id: MessageId
    run_id: RunId | None
    score: float
    comment: str | None
    given_at: datetime


class ScoreOutcome(StrEnum):
    """How the sending of a score ended: it was refused for ever, or has waited for too long."""

    SENT = "sent"
    REFUSED = "refused"
    EXPIRED = "expired"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Feedback on the answer of a run as its trace shall have it: none where `score` is None."""

    message_id: MessageId
    run_id: RunId
    score: float | None
    comment: str | None
    given_at: datetime
