"""The metrics of one worker: counted here, and told together with those of all others."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import msgspec
import structlog

from cartrita.adapters.metrics import snapshots
from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.counted_ports import CountedCache, CountedLedger
from cartrita.adapters.metrics.counts import Counts
from cartrita.adapters.metrics.families import Family, Labels, Values
from cartrita.adapters.metrics.page import MEDIA_TYPE, rendered
from cartrita.adapters.metrics.process import ThisProcess
from cartrita.adapters.metrics.shared_files import SharedFiles
from cartrita.adapters.metrics.snapshots import WorkerSnapshot
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.domain.ports.ledger import UsageLedger
from cartrita.kit.long_work import run_long
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

Reading: TypeAlias = tuple[Family, Labels, float]
Read: TypeAlias = Callable[[], Iterable[Reading]]
"""Reads what is so much now, or has been counted elsewhere; it never waits."""

_TOLD_LONGER: Final = 8
"""A page is about so many times as long as its snapshots."""


class Metrics:
    """Implements `MetricsPage`. Each second a worker hands what it has counted to the others.

    Whichever worker is asked adds up what all have counted. One that is killed loses what it
    counted in its last second; the next one in its place goes on from the rest.
    """

    def __init__(
        self,
        *,
        worker: int = 0,
        models_max: int = 100,
        shared: SharedFiles | None = None,
        interval_s: float = 1.0,
    ) -> None:
        """`worker` is its place among those with which it shares."""
        self.all = Catalogue()
        self._worker = worker
        self._shared = shared
        self._interval_s = interval_s
        self._watched: list[Read] = []
        self._before: dict[str, Values] = {}
        self._process = ThisProcess()
        self._failure_logger = RepeatedFailures("metrics_not_read")
        self._sharing_failure_logger = RepeatedFailures("metrics_not_shared")
        if (earlier := self._read(worker)) is not None:
            snapshots.resume(self.all, earlier[1])
        self.counts = Counts(self.all, models_max=models_max)

    @property
    def media_type(self) -> str:
        """See `MetricsPage`."""
        return MEDIA_TYPE

    def ledger(self, ledger: UsageLedger) -> UsageLedger:
        """The same ledger, counted."""
        return CountedLedger(ledger, self.counts)

    def cache(self, cache: AnswerCache) -> AnswerCache:
        """The same cache, counted."""
        return CountedCache(cache, self.all)

    def watch(self, read: Read) -> None:
        """Have this read whenever somebody asks."""
        self._watched.append(read)

    async def run(self) -> None:
        """Hand over what was counted until cancelled, and then once more."""
        try:
            while True:
                due = time.monotonic() + self._interval_s
                await asyncio.sleep(self._interval_s)
                self.all.late_seconds.observe((), max(0.0, time.monotonic() - due))
                self._hand_over()
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        """No failure is a reason to stop the server."""
        try:
            self._publish()
        except Exception as error:
            self._sharing_failure_logger.exception("publish", error=error)

    async def render(self) -> bytes:
        """See `MetricsPage`."""
        size, told = self._snapshots()
        return await run_long(size * _TOLD_LONGER, self._rendered, told)

    def _rendered(self, told: list[WorkerSnapshot]) -> bytes:
        return rendered(self.all, snapshots.added_up(self.all, told))

    def _snapshots(self) -> tuple[int, list[WorkerSnapshot]]:
        """Those of all workers, and how long they are. None is older than what was told before."""
        own, octets = self._publish()
        size, told = len(octets), [own]
        for place in () if self._shared is None else self._shared.places:
            if place != self._worker and (other := self._read(place)) is not None:
                size += other[0]
                told.append(other[1])
        return size, told

    def _read(self, place: int) -> tuple[int, WorkerSnapshot] | None:
        """The snapshot of a place, and its length; None where there is none of this version."""
        octets = None if self._shared is None else self._shared.read(place)
        if octets is None:
            return None
        try:
            return len(octets), snapshots.decode(octets)
        except msgspec.DecodeError as error:
            self._sharing_failure_logger.exception(str(place), error=error, place=place)
            return None

    def _publish(self) -> tuple[WorkerSnapshot, bytes]:
        self._measure()
        own = snapshots.take(self.all)
        octets = snapshots.encode(own)
        if self._shared is not None:
            try:
                self._shared.write(self._worker, octets)
            except OSError as error:
                self._sharing_failure_logger.exception("write", error=error)
            else:
                self._sharing_failure_logger.forget("write")
        return own, octets

    def _measure(self) -> None:
        """Read all that is watched. What cannot be read is left out."""
        found: dict[str, Values] = {}
        for number, read in enumerate((self._read_process, *self._watched)):
            try:
                for family, labels, value in read():
                    found.setdefault(family.name, {})[labels] = [float(value)]
            except Exception as error:
                self._failure_logger.exception(str(number), error=error)
            else:
                self._failure_logger.forget(str(number))
        for family in self.all:
            if family.name in found or family.name in self._before:
                self._replace(family, found.get(family.name, {}))

    def _replace(self, family: Family, values: Values) -> None:
        """These are its values; what is counted elsewhere is on top of what was before."""
        counts = family.kind == "counter"
        before = self._before.setdefault(family.name, family.values if counts else {})
        for labels, (value,) in before.items():
            if labels in values:
                values[labels] = [values[labels][0] + value]
        family.values = {**family.values, **values} if counts else values

    def _read_process(self) -> Iterable[Reading]:
        for name, value in self._process.read():
            family = self.all.named(name)
            if family is not None:
                yield family, (str(self._worker),), value
