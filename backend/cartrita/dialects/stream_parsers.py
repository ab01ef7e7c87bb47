"""What the parsers of all dialects have in common, for those who use them without knowing which."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from cartrita.domain.deltas import Delta
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret


class StreamParser(Protocol):
    """A dialect's parser of one stream.

    `done` is true after the end mark, `complete` once the whole answer has arrived, which may be
    earlier. `ignored` counts the parts that were not known. `model` is what the answer calls its
    model, once it has told it, and `counted` the usage that it tells before its end. A line may
    have `line_bytes` at least, whatever limit there is: 0 where no line repeats the answer.
    """

    @property
    def done(self) -> bool: ...

    @property
    def ignored(self) -> int: ...

    @property
    def line_bytes(self) -> int: ...

    @property
    def complete(self) -> bool: ...

    @property
    def model(self) -> str | None: ...

    @property
    def counted(self) -> Usage | None: ...

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]: ...

    def end(self) -> list[Delta]: ...


CreateParser: TypeAlias = Callable[[str, tuple[Secret, ...]], StreamParser]
"""A dialect's class of parsers; it takes the provider's name and the secrets to mask."""

ParseCompletion: TypeAlias = Callable[[str, bytes, tuple[Secret, ...]], list[Delta]]
"""A dialect's parser of an answer that was not streamed; it takes the provider's name first."""
