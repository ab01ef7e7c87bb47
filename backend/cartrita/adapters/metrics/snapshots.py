"""Snapshots: all that a worker has counted until a moment, as it hands it to the others."""

import os
from collections.abc import Iterable, Mapping

import msgspec

from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.families import Labels, Values, add_up

_Pairs = list[tuple[Labels, list[float]]]


class WorkerSnapshot(msgspec.Struct, frozen=True):
    """What the worker with this process id has `counted`, with those before it in its place, and
    what it `measured` just now: by the names of families.
    """

    pid: int
    counted: Mapping[str, _Pairs]
    measured: Mapping[str, _Pairs]

    @property
    def alive(self) -> bool:
        """Whether its worker lives."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it is another process by now, and somebody else's
            return False
        return True


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(WorkerSnapshot).decode


def take(catalogue: Catalogue) -> WorkerSnapshot:
    """A copy of what stands in a catalogue now."""
    counted: dict[str, _Pairs] = {}
    measured: dict[str, _Pairs] = {}
    for family in catalogue:
        told = measured if family.kind == "gauge" else counted
        told[family.name] = [(labels, list(each)) for labels, each in family.values.items()]
    return WorkerSnapshot(os.getpid(), counted, measured)


def resume(catalogue: Catalogue, snapshot: WorkerSnapshot) -> None:
    """Go on counting from what the worker before has counted."""
    for family in catalogue:
        for labels, numbers in snapshot.counted.get(family.name, ()):
            if family.fits(labels, numbers):
                family.values[labels] = list(numbers)


def added_up(catalogue: Catalogue, snapshots: Iterable[WorkerSnapshot]) -> Mapping[str, Values]:
    """The values of each family, of all workers; of those that have ended, what they counted."""
    result: dict[str, Values] = {family.name: {} for family in catalogue}
    for snapshot in snapshots:
        told = dict(snapshot.counted)
        if snapshot.alive:
            told |= snapshot.measured
        for family in catalogue:
            for labels, numbers in told.get(family.name, ()):
                if family.fits(labels, numbers):
                    add_up(result[family.name], labels, numbers)
    return result
