"""Which worker of a server a process is; imports no driver, for the parent names it too."""

from uuid import UUID

import msgspec


class WorkerSlot(msgspec.Struct, frozen=True):
    """The place of a worker process: number `slot` of the `slots` workers of one data directory.

    `instance` identifies the data directory.
    """

    instance: UUID
    slot: int
    slots: int
