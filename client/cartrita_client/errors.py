"""The errors of this client, as one tree of classes.

CartritaError                     everything that this package raises on purpose
├── CartritaApiError              the server says no: status, code, kind, details, request_id
│   └── one class for each kind   RateLimited, NotFound, ...: see `cartrita_client.generated.errors`
├── TransportError                no usable answer came
│   ├── Unreachable               refused, unknown host, TLS, reset, a proxy that cannot go on
│   ├── TimedOut                  the answer took too long
│   ├── StreamStalled             a stream was silent for too long, also after coming back
│   └── NotCartrita               something else answers there: a web page, another service
├── WaitingForApproval            the answer waits for a person's decision; `waiting` says on what
├── UnreadableFile                a file to be uploaded cannot be read
├── UnusableAddress               the base URL, or an id, makes no address; a ValueError as well
└── SessionClosed                 a live session or a stream is used after its end

No message holds a key: addresses are told without their userinfo and query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from cartrita_client.generated.models import WaitingResponse


class CartritaError(Exception):
    """`message` is a sentence that a user can act on."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as what it holds: not every error is made of a message alone."""
        return _restored, (type(self), self.args), self.__dict__


def _restored(of: type[CartritaError], args: tuple[Any, ...]) -> CartritaError:
    return of.__new__(of, *args)


class CartritaApiError(CartritaError):
    """What the server tells of a failure, in an answer or as the last event of a run.

    `status` is None where it came in a stream or over a WebSocket. `code` is stable, `retry_after`
    is in seconds, `fields` names what is wrong with a request. Itself it is the error of a kind
    that a newer server has.
    """

    kind: ClassVar[str] = "unknown"
    passes: ClassVar[bool] = False
    lasting: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        fields: Mapping[str, list[str]] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.details: Mapping[str, Any] = details or {}
        self.fields: Mapping[str, list[str]] = fields or {}
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether trying again may help: errors of its kind pass, but for some codes."""
        return self.passes and self.code not in self.lasting

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, code={self.code!r}, status={self.status})"


class TransportError(CartritaError):
    """No usable answer came; whether the server did what it was asked is not known."""


class Unreachable(TransportError):
    """Nobody answers at the address, or the connection broke; `sent` says if the request left."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class TimedOut(TransportError):
    """The answer took longer than it may."""


class StreamStalled(TransportError):
    """Nothing came for longer than heartbeats allow, also after coming back several times."""


class NotCartrita(TransportError):
    """What answers at the address is no Cartrita server, or not its API."""


class WaitingForApproval(CartritaError):
    """The run waits for a person: decide on `waiting.approval`, then follow `waiting.run_id`."""

    def __init__(self, waiting: WaitingResponse) -> None:
        super().__init__("The answer waits for a person to decide on a tool call.")
        self.waiting = waiting


class UnreadableFile(CartritaError):
    """A file cannot be opened or read, or changed while it was read."""


class UnusableAddress(CartritaError, ValueError):
    """The base URL is none of a server, or an id is empty."""


class SessionClosed(CartritaError):
    """It was closed: open another."""
