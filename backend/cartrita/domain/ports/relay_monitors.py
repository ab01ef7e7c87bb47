"""What watches a relayed answer: the dialects implement it, and the gateway feeds it."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.relays import Estimate, ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret


class RelayMonitor(Protocol):
    """Watches the bytes of one relayed answer; see `relay.py` of each dialect.

    `visible` is true once a part of the answer is in what was fed, `complete` once its end is.
    `overlong` is true once more was passed on than is kept for `deltas`.
    """

    @property
    def visible(self) -> bool: ...

    @property
    def complete(self) -> bool: ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def finish_reason(self) -> FinishReason | None: ...

    @property
    def message_id(self) -> str | None:
        """The id that the provider gave the answer, as far as it has told one."""
        ...

    @property
    def parts(self) -> Mapping[str, int]:
        """How many parts of each kind the answer has, for the log; no more than is kept of it."""
        ...

    @property
    def overlong(self) -> bool: ...

    @property
    def ignored(self) -> int:
        """How many parts were nothing that a client could read, and are left out."""
        ...

    @property
    def misplaced(self) -> int:
        """How many events come where clients do not expect them, and are passed on even so."""
        ...

    def prepare(self, line_limit: int, estimate: Estimate) -> None:
        """Told before anything is fed: the longest line in bytes, and what estimates the usage.

        An answer whose provider reports no usage is passed on with the estimate, marked as one.
        """
        ...

    def feed(self, piece: bytes) -> bytes:
        """The whole frames to pass on. Raises UpstreamError for a frame that holds an error.

        For an answer that is not streamed, it is fed the whole body once and returns it; it raises
        UpstreamMalformed if that is no answer of its dialect.
        """
        ...

    def deltas(self) -> list[Delta]:
        """The deltas of what was passed on. Raises UpstreamError if that was too long to keep."""
        ...

    def written(self) -> list[Delta]:
        """The deltas from which the tokens of the answer are estimated.

        They are those of what was passed on; if that was too long to keep, those of its beginning,
        as many times as it is longer.
        """
        ...

    def end(self) -> bytes:
        """Told at the end of the body; the mark of the end, where the provider left it out.

        Raises UpstreamCut unless the answer is complete.
        """
        ...


CreateMonitor: TypeAlias = Callable[[str, tuple[Secret, ...], ModelNames | None], RelayMonitor]
"""Makes the monitor of an answer by the provider of this name.

What it reports holds none of the secrets that it is given. What it passes on tells the model by the
name that was asked for, wherever the provider repeats the one that was sent; None where the two are
the same.
"""
