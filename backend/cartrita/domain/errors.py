"""The errors that are reported to callers, as one tree of classes.

CartritaError                 kind, code, retryable, retry_after; never an HTTP status
├── InvalidInput              a field is wrong; `fields` names it
│   └── NotOffered            what was asked for it cannot do that; another may
├── Malformed                 the body is not JSON, or a header is malformed
├── TooLarge · UnsupportedMedia · Unauthenticated · Forbidden
├── NotFound                  also for resources of other owners
├── Conflict                  the current state does not allow it
│   ├── IdempotencyMismatch   the key was used with another body
│   └── those of desktops: `domain.desktop_errors`
├── RateLimited · StorageFull
├── BudgetExhausted       what may be used of models in a day or a month has been
├── Unavailable               a part of this server cannot be reached; try again
│   ├── Busy                  it works, for other requests
│   └── TookTooLong           it works, and not fast enough for this
├── LeaseLost                 this replica lost the ownership of its runs
├── DeadlineExceeded
└── UpstreamError             a provider failed; `provider` names it
    ├── UpstreamUnreachable   refused, DNS, TLS, timeouts before an answer
    ├── UpstreamRejected      it did not accept the request
    │   ├── EndpointMissing   it has no such endpoint, or not for this model; another may answer
    │   └── RecordingRefused  it cannot read the recording; another may
    ├── UpstreamAuth          it refused the credential
    ├── UpstreamQuota         the account is out of credit
    ├── UpstreamLimited       too many requests; retry_after if it sent one
    ├── UpstreamOverloaded    5xx, 529
    ├── UpstreamMalformed     the answer is not of its dialect
    └── UpstreamCut           the stream ended, stalled or broke before its end

Surfaces hold one table each from kind to their own status, type and envelope.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal, Self

from cartrita.domain.error_kinds import ErrorKind
from cartrita.domain.json import JsonObject
from cartrita.kit.text import shortened

OWN_CREDENTIAL: Final = "own"
"""The detail `credential` of errors of providers that the caller's own credential pays."""
LONGEST_MESSAGE = 1000
"""In characters. Messages quote what callers sent, which may be megabytes."""


class CartritaError(Exception):
    """`message` is a sentence that a user can act on; `code` is stable and for programs.

    What is longer than `LONGEST_MESSAGE` is cut in its middle.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL
    default_code: ClassVar[str] = "internal"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: JsonObject | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = shortened(message, LONGEST_MESSAGE)
        super().__init__(self.message)
        self.code = code or self.default_code
        self.details: JsonObject = details or {}
        self.retry_after = retry_after

    @property
    def callers_own(self) -> bool:
        """Whether it is the credential which the caller brought that a provider did not take."""
        return self.details.get("credential") == OWN_CREDENTIAL


class InvalidInput(CartritaError):
    kind = ErrorKind.INVALID
    default_code = "validation_error"

    def __init__(
        self, message: str, *, fields: dict[str, list[str]], code: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.fields = {
            shortened(field, LONGEST_MESSAGE): [shortened(one, LONGEST_MESSAGE) for one in problems]
            for field, problems in fields.items()
        }

    @classmethod
    def of(cls, field: str, problem: str) -> Self:
        """One field, one sentence."""
        return cls(f"{field}: {problem}", fields={field: [problem]})


class NotOffered(InvalidInput):
    """What transcribes or speaks does not know this language, voice, format or model."""

    default_code = "not_offered"


class Malformed(CartritaError):
    kind = ErrorKind.MALFORMED
    default_code = "malformed_request"


class TooLarge(CartritaError):
    kind = ErrorKind.TOO_LARGE
    default_code = "too_large"


class UnsupportedMedia(CartritaError):
    kind = ErrorKind.UNSUPPORTED_MEDIA
    default_code = "unsupported_media_type"


class Unauthenticated(CartritaError):
    kind = ErrorKind.UNAUTHENTICATED
    default_code = "unauthenticated"


class Forbidden(CartritaError):
    kind = ErrorKind.FORBIDDEN
    default_code = "forbidden"


class NotFound(CartritaError):
    kind = ErrorKind.NOT_FOUND
    default_code = "not_found"

    @classmethod
    def of(cls, noun: Literal["conversation", "feedback", "file", "message", "run"]) -> "NotFound":
        return cls(f"There is no such {noun}.", code=f"{noun}_not_found")


class Conflict(CartritaError):
    kind = ErrorKind.CONFLICT
    default_code = "conflict"


class IdempotencyMismatch(Conflict):
    kind = ErrorKind.IDEMPOTENCY_MISMATCH
    default_code = "idempotency_mismatch"


class RateLimited(CartritaError):
    kind = ErrorKind.RATE_LIMITED
    default_code = "rate_limited"
    retryable = True


class BudgetExhausted(CartritaError):
    """`retry_after` is when the budget begins anew; an answer that it ended can be continued."""

    kind = ErrorKind.BUDGET
    default_code = "budget_exhausted"
    retryable = True


class Unavailable(CartritaError):
    kind = ErrorKind.UNAVAILABLE
    default_code = "unavailable"
    retryable = True


class Busy(Unavailable):
    default_code = "server_busy"

    @classmethod
    def now(cls, seconds: int = 2) -> Self:
        """Other requests have all of what this one needs."""
        return cls(
            f"The server is busy with other requests: try again in {seconds} seconds.",
            retry_after=seconds,
        )


class TookTooLong(Unavailable):
    default_code = "database_slow"

    @classmethod
    def of_database(cls) -> Self:
        """It has not ended a statement in time, or answers nobody."""
        return cls(
            "The database took too long for this. Try again in a moment, and if that does not "
            "help, ask for less at once.",
            retry_after=2,
        )


class StorageFull(CartritaError):
    kind = ErrorKind.STORAGE_FULL
    default_code = "storage_full"


class LeaseLost(CartritaError):
    kind = ErrorKind.UNAVAILABLE
    default_code = "lease_lost"


class DeadlineExceeded(CartritaError):
    kind = ErrorKind.DEADLINE
    default_code = "deadline_exceeded"
    retryable = True


class UpstreamError(CartritaError):
    """`status` is what the provider answered, where it answered.

    `retryable` replaces the value of the class, where the provider said otherwise. `words` is the
    provider's own message, if it may be shown. The error of a relay is `relayed`: its `headers`, of
    the provider's response, are for the caller.
    """

    words: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    relayed: bool = False

    kind = ErrorKind.UPSTREAM
    default_code = "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        status: int | None = None,
        code: str | None = None,
        details: JsonObject | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        told: JsonObject = {**(details or {}), "provider": provider}
        if status is not None:
            told["upstream_status"] = status
        super().__init__(message, code=code, details=told, retry_after=retry_after)
        self.provider = provider
        self.status = status
        if retryable is not None:
            self.retryable = retryable

    def in_words_of_provider(self) -> Self:
        """This error as that of a relay, whose caller reads what the provider itself said."""
        self.relayed = True
        self.message = self.words or self.message
        return self


class UpstreamUnreachable(UpstreamError):
    default_code = "upstream_unreachable"
    retryable = True


class UpstreamRejected(UpstreamError):
    kind = ErrorKind.UPSTREAM_REJECTED
    default_code = "upstream_rejected"

    @classmethod
    def of(cls, error: "UpstreamRejected") -> Self:
        """The same refusal, as one of this class."""
        made = cls(
            error.message,
            provider=error.provider,
            status=error.status,
            code=None if error.code == UpstreamRejected.default_code else error.code,
            details=error.details,
        )
        made.words = error.words
        return made


class EndpointMissing(UpstreamRejected):
    default_code = "upstream_endpoint_missing"


class RecordingRefused(UpstreamRejected):
    default_code = "upstream_recording_refused"


class UpstreamAuth(UpstreamError):
    default_code = "upstream_auth"


class UpstreamQuota(UpstreamError):
    default_code = "upstream_quota"


class UpstreamLimited(UpstreamError):
    kind = ErrorKind.RATE_LIMITED
    default_code = "upstream_rate_limited"
    retryable = True


class UpstreamOverloaded(UpstreamError):
    default_code = "upstream_overloaded"
    retryable = True


class UpstreamMalformed(UpstreamError):
    default_code = "upstream_malformed"
    retryable = True


class UpstreamCut(UpstreamError):
    default_code = "upstream_cut"
    retryable = True
