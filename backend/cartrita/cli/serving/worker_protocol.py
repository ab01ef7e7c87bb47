"""What the parent process and its workers tell each other: JSON lines over pipes."""

from uuid import UUID

import msgspec


class WorkerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The parent's first line. Holds secrets: it goes through a pipe and nowhere else.

    `first` says that this worker migrates the database and makes the first key, alone.
    """

    settings: str
    dsn: str
    secret: str
    instance: UUID
    slot: int
    slots: int
    socket: int
    first: bool


class Prepared(msgspec.Struct, frozen=True, tag="prepared"):
    """The database is ready for the other workers. `key` is the first key, made just now."""

    sign_in_code: str
    key: str | None


class Serving(msgspec.Struct, frozen=True, tag="serving"):
    """The worker answers requests."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The worker cannot start, and starting it again is no use."""

    sentence: str


WorkerMessage = Prepared | Serving | Refused
encode = msgspec.json.encode
decode_message = msgspec.json.Decoder(WorkerMessage).decode
decode_config = msgspec.json.Decoder(WorkerConfig).decode
