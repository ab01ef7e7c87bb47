"""The messages between the parent process and its workers: JSON lines over pipes."""

import msgspec

from cartrita.adapters.runlog.worker_slot import WorkerSlot


class WorkerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the parent sends first. It contains secrets, and must go through a pipe only.

    `sockets` are the file descriptors of those that it serves on, `shared` of the files by which
    all workers tell their metrics. The `first` worker migrates the
    database and creates the first key before the others start.
    """

    settings: str
    dsn: str
    secret: str
    slot: WorkerSlot
    sockets: tuple[int, ...]
    shared: tuple[int, ...] = ()
    first: bool


class Prepared(msgspec.Struct, frozen=True, tag="prepared"):
    """The database is ready for the other workers. `key` is the first key, made just now."""

    sign_in_code: str
    key: str | None


class Serving(msgspec.Struct, frozen=True, tag="serving"):
    """The worker answers requests."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The worker cannot start, and a restart would not help; `sentence` tells the operator why."""

    sentence: str


WorkerMessage = Prepared | Serving | Refused
encode = msgspec.json.encode
decode_message = msgspec.json.Decoder(WorkerMessage).decode
decode_config = msgspec.json.Decoder(WorkerConfig).decode
