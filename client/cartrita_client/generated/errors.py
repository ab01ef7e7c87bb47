# Generated from the contract by `cartrita contract`: do not edit.
"""The errors of the API, one class for each kind."""

from __future__ import annotations

from cartrita_client.errors import CartritaApiError


class Invalid(CartritaApiError):
    """A value is wrong; `errors` names it."""

    kind = "invalid"


class Malformed(CartritaApiError):
    """The request cannot be read."""

    kind = "malformed"


class TooLarge(CartritaApiError):
    """The body, a file or a frame is too large."""

    kind = "too_large"


class UnsupportedMedia(CartritaApiError):
    """The body or a file is of a type that is not accepted."""

    kind = "unsupported_media"


class Unauthenticated(CartritaApiError):
    """No credential, or one that is not known, or that has ended."""

    kind = "unauthenticated"


class Forbidden(CartritaApiError):
    """Known, and not allowed."""

    kind = "forbidden"


class NotFound(CartritaApiError):
    """There is no such thing, or it is somebody else's."""

    kind = "not_found"


class Conflict(CartritaApiError):
    """The state of things forbids it now."""

    kind = "conflict"


class IdempotencyMismatch(CartritaApiError):
    """The Idempotency-Key was used with another body."""

    kind = "idempotency_mismatch"


class RateLimited(CartritaApiError):
    """Too much at once: later; Retry-After says when."""

    kind = "rate_limited"
    passes = True


class Budget(CartritaApiError):
    """What is left of a budget does not cover it; Retry-After says when it begins anew."""

    kind = "budget"


class Unavailable(CartritaApiError):
    """A part of the server is away; Retry-After says when to come back."""

    kind = "unavailable"
    passes = True
    lasting = frozenset(
        {
            "log_expired",
            "newer_version",
            "credential_unreadable",
            "transcription_unavailable",
            "speech_unavailable",
            "speech_format_unavailable",
            "desktop_unavailable",
        }
    )


class StorageFull(CartritaApiError):
    """The disk is full, or your files take as much as they may."""

    kind = "storage_full"


class Deadline(CartritaApiError):
    """It took longer than it may."""

    kind = "deadline"
    passes = True


class Upstream(CartritaApiError):
    """A provider failed; `details.provider` names it."""

    kind = "upstream"
    passes = True
    lasting = frozenset(
        {
            "upstream_auth",
            "upstream_keyless_refused",
            "upstream_quota",
            "upstream_plan_limit",
            "upstream_spending_limit",
            "upstream_wrong_address",
        }
    )


class UpstreamRejected(CartritaApiError):
    """The provider says that the request is wrong, or has not what was asked."""

    kind = "upstream_rejected"


class Internal(CartritaApiError):
    """It broke on the server's side; its log knows more."""

    kind = "internal"


class Interrupted(CartritaApiError):
    """The run was interrupted; what was seen is kept, and can be continued."""

    kind = "interrupted"


class Cancelled(CartritaApiError):
    """The run was cancelled; what was seen is kept."""

    kind = "cancelled"


BY_CODE: dict[str, type[CartritaApiError]] = {
    "validation_error": Invalid,
    "not_translatable": Invalid,
    "thread_unsupported_request": Invalid,
    "recording_empty": Invalid,
    "recording_unreadable": Invalid,
    "recording_format_unsupported": Invalid,
    "nothing_said": Invalid,
    "not_offered": Invalid,
    "malformed_request": Malformed,
    "two_credentials": Malformed,
    "key_in_query": Malformed,
    "binary_frame": Malformed,
    "text_frame": Malformed,
    "bad_rfb": Malformed,
    "invalid_utf8": Malformed,
    "invalid_audio": Malformed,
    "method_not_allowed": Malformed,
    "request_timeout": Malformed,
    "uri_too_long": Malformed,
    "too_large": TooLarge,
    "recording_too_long": TooLarge,
    "audio_frame_too_long": TooLarge,
    "unsupported_media_type": UnsupportedMedia,
    "file_type_not_allowed": UnsupportedMedia,
    "recording_type_not_accepted": UnsupportedMedia,
    "ffmpeg_missing": UnsupportedMedia,
    "unauthenticated": Unauthenticated,
    "key_ended": Unauthenticated,
    "forbidden": Forbidden,
    "forbidden_origin": Forbidden,
    "forbidden_accept": Forbidden,
    "forbidden_host": Forbidden,
    "file_destination": Forbidden,
    "scope_provider": Forbidden,
    "scope_model": Forbidden,
    "scope_operation": Forbidden,
    "scope_tool": Forbidden,
    "scope_expiry": Forbidden,
    "scope_exceeded": Forbidden,
    "admin_required": Forbidden,
    "operator_required": Forbidden,
    "price_unknown": Forbidden,
    "credential_ended": Forbidden,
    "address_not_public": Forbidden,
    "port_not_read": Forbidden,
    "provider_key_gone": Forbidden,
    "desktop_disabled": Forbidden,
    "not_found": NotFound,
    "conversation_not_found": NotFound,
    "message_not_found": NotFound,
    "file_not_found": NotFound,
    "run_not_found": NotFound,
    "model_not_found": NotFound,
    "agent_not_found": NotFound,
    "provider_not_configured": NotFound,
    "key_not_found": NotFound,
    "credential_not_found": NotFound,
    "user_not_found": NotFound,
    "tenant_not_found": NotFound,
    "approval_not_found": NotFound,
    "desktop_not_found": NotFound,
    "feedback_not_found": NotFound,
    "conflict": Conflict,
    "conversation_busy": Conflict,
    "conversation_exists": Conflict,
    "client_msg_id_reused": Conflict,
    "not_continuable": Conflict,
    "previous_not_ended": Conflict,
    "run_not_ended": Conflict,
    "key_not_rotatable": Conflict,
    "user_exists": Conflict,
    "tenant_exists": Conflict,
    "local_account": Conflict,
    "arguments_changed": Conflict,
    "approval_decided": Conflict,
    "approval_expired": Conflict,
    "client_seq_gap": Conflict,
    "already_authenticated": Conflict,
    "credential_not_current": Conflict,
    "not_started": Conflict,
    "action_broke_off": Conflict,
    "action_refused": Conflict,
    "agent_stuck": Conflict,
    "desktop_busy": Conflict,
    "desktop_controlled": Conflict,
    "desktop_elsewhere": Conflict,
    "desktop_exists": Conflict,
    "desktop_gone": Conflict,
    "desktop_starting": Conflict,
    "film_full": Conflict,
    "idempotency_mismatch": IdempotencyMismatch,
    "rate_limited": RateLimited,
    "too_many_streams": RateLimited,
    "too_many_sockets": RateLimited,
    "too_many_frames": RateLimited,
    "too_many_runs": RateLimited,
    "upstream_rate_limited": RateLimited,
    "upstream_secondary_limit": RateLimited,
    "upstream_keyless_limit": RateLimited,
    "conversation_queue_full": RateLimited,
    "desktop_limit": RateLimited,
    "desktop_viewers": RateLimited,
    "budget_exhausted": Budget,
    "unavailable": Unavailable,
    "server_busy": Unavailable,
    "database_slow": Unavailable,
    "draining": Unavailable,
    "lease_lost": Unavailable,
    "log_expired": Unavailable,
    "newer_version": Unavailable,
    "credential_unreadable": Unavailable,
    "transcription_unavailable": Unavailable,
    "speech_unavailable": Unavailable,
    "speech_format_unavailable": Unavailable,
    "transcriber_behind": Unavailable,
    "desktop_unavailable": Unavailable,
    "storage_full": StorageFull,
    "quota_exceeded": StorageFull,
    "deadline_exceeded": Deadline,
    "idle": Deadline,
    "audio_idle": Deadline,
    "silence": Deadline,
    "upstream_unreachable": Upstream,
    "upstream_auth": Upstream,
    "upstream_keyless_refused": Upstream,
    "upstream_quota": Upstream,
    "upstream_plan_limit": Upstream,
    "upstream_spending_limit": Upstream,
    "upstream_overloaded": Upstream,
    "upstream_malformed": Upstream,
    "upstream_wrong_address": Upstream,
    "upstream_cut": Upstream,
    "upstream_timeout": Upstream,
    "upstream_error": Upstream,
    "upstream_rejected": UpstreamRejected,
    "upstream_endpoint_missing": UpstreamRejected,
    "upstream_recording_refused": UpstreamRejected,
    "internal": Internal,
    "unstorable_output": Internal,
    "interrupted": Interrupted,
    "cancelled": Cancelled,
}

BY_STATUS: dict[int, type[CartritaApiError]] = {
    422: Invalid,
    400: Malformed,
    405: Malformed,
    408: Malformed,
    414: Malformed,
    413: TooLarge,
    415: UnsupportedMedia,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
    402: Budget,
    503: Unavailable,
    507: StorageFull,
    504: Deadline,
    502: Upstream,
    500: Internal,
}

KINDS: dict[str, type[CartritaApiError]] = {
    "invalid": Invalid,
    "malformed": Malformed,
    "too_large": TooLarge,
    "unsupported_media": UnsupportedMedia,
    "unauthenticated": Unauthenticated,
    "forbidden": Forbidden,
    "not_found": NotFound,
    "conflict": Conflict,
    "idempotency_mismatch": IdempotencyMismatch,
    "rate_limited": RateLimited,
    "budget": Budget,
    "unavailable": Unavailable,
    "storage_full": StorageFull,
    "deadline": Deadline,
    "upstream": Upstream,
    "upstream_rejected": UpstreamRejected,
    "internal": Internal,
    "interrupted": Interrupted,
    "cancelled": Cancelled,
}


def class_of(status: int | None, code: str) -> type[CartritaApiError]:
    """The class of an error: its code says so, and else its status does."""
    return BY_CODE.get(code) or BY_STATUS.get(status or 0, CartritaApiError)
