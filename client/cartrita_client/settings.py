"""What a client is told once: where the server is, who calls, and how long to wait for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cartrita_client.addresses import Address
from cartrita_client.credentials import Keys
from cartrita_client.operations import Operation
from cartrita_client.retries import RetryPolicy

if TYPE_CHECKING:
    from ssl import SSLContext

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds: an answer, one that a model writes, a connection, and silence in a stream.

    Streams, uploads and downloads may last as long as they want; `silence` is how long nothing may
    come, or be taken, and is three of the server's heartbeats.
    """

    answer: float = 30.0
    long_answer: float = 600.0
    connect: float = 10.0
    silence: float = 45.0

    def of(self, operation: Operation) -> float:
        """How long an answer may take."""
        return self.long_answer if operation.long else self.answer


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it."""

    address: Address
    keys: Keys
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    resumes: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=12))
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    verify: bool | SSLContext = True
