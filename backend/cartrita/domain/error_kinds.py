"""The kinds of errors, for which each surface has a status and a type."""

from enum import StrEnum


class ErrorKind(StrEnum):
    INVALID = "invalid"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    RATE_LIMITED = "rate_limited"
    BUDGET = "budget"
    UNAVAILABLE = "unavailable"
    STORAGE_FULL = "storage_full"
    DEADLINE = "deadline"
    UPSTREAM = "upstream"
    UPSTREAM_REJECTED = "upstream_rejected"
    INTERNAL = "internal"

    @classmethod
    def _missing_(cls, value: object) -> "ErrorKind":
        """A kind of a newer version, read from the log: an internal error."""
        return cls.INTERNAL
