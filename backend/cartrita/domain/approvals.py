"""Approvals: what a person decides before a tool may act."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec

from cartrita.domain.desktop_films import Shown
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.step_places import StepPlace


class ApprovalPolicy(StrEnum):
    """Which calls of tools a person decides on: none, those that act, or all."""

    NEVER = "never"
    RISKY = "risky"
    ALWAYS = "always"

    def tightened(self, asked: "ApprovalPolicy | None") -> "ApprovalPolicy":
        """The stricter of both."""
        return self if asked is None else max(self, asked, key=_STRICTNESS.index)


_STRICTNESS: Final = (ApprovalPolicy.NEVER, ApprovalPolicy.RISKY, ApprovalPolicy.ALWAYS)


class Decision(StrEnum):
    """What a person said."""

    APPROVED = "approved"
    DENIED = "denied"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a tool that waits for a decision, or had one.

    It counts for these exact arguments: `arguments_hash` is theirs. `place` is that of the call,
    `agent` who made it, and `shown` what of the screen a person sees who decides. Without a
    decision until `expires_at` it is denied, and has `expired`. The key `decided_by` decided.
    """

    id: UUID
    run_id: RunId
    owner_id: str
    place: StepPlace
    call_id: str
    agent: str
    tool: str
    arguments: JsonObject
    arguments_hash: str
    expires_at: datetime
    decision: Decision | None = None
    expired: bool = False
    shown: Shown | None = None
    decided_by: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What a person said of one approval, having seen the arguments of this hash."""

    approval_id: UUID
    decision: Decision
    arguments_hash: str


def hash_arguments(tool: str, arguments: JsonObject) -> str:
    """The SHA-256 of a call, in hexadecimal: the same for the same tool and arguments."""
    return sha256(msgspec.json.encode([tool, arguments], order="deterministic")).hexdigest()
