"""Copies of answers: what is passed on of an answer, so that it can be kept for equal requests."""

from msgspec.structs import replace

from cartrita.domain.deltas import Accepted, Delta, Finished, FinishReason
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.usage import Usage


class AnswerCopy:
    """What was passed on of one answer, its bytes up to `keep_bytes`."""

    def __init__(self, keep_bytes: int = 1 << 20) -> None:
        self._keep_bytes = keep_bytes
        self._deltas: list[Delta] = []
        self._body: bytearray | None = bytearray()

    def add(self, item: bytes | Delta) -> None:
        """Add what was passed on next."""
        if not isinstance(item, bytes):
            self._body = None  # the rest of an answer that was relayed is not in its bytes
            if not isinstance(item, Accepted):
                self._deltas.append(item)
        elif self._body is not None and len(self._body) + len(item) <= self._keep_bytes:
            self._body += item
        else:
            self._body = None

    @property
    def body(self) -> bytes | None:
        """The bytes of an answer that was relayed to its end; None for others."""
        return bytes(self._body) if self._body else None

    def deltas(self, monitor: RelayMonitor | None) -> list[Delta]:
        """All deltas, also of the part that was relayed; none if that was too long."""
        if monitor is None:
            return self._deltas
        try:
            relayed = [one for one in monitor.deltas() if not isinstance(one, Accepted)]
        except CartritaError:
            return []
        if self._deltas or not monitor.complete:
            return [*relayed, *self._deltas]
        # What was passed on may lack the usage, and does where the caller did not ask for it.
        last = relayed[-1] if relayed else None
        if isinstance(last, Finished):
            return [*relayed[:-1], replace(last, usage=monitor.usage or last.usage)]
        reason = monitor.finish_reason or FinishReason.STOP
        return [*relayed, Finished(reason, monitor.usage or Usage())]
