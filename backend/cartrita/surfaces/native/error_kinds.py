"""The kinds of errors as the contract tells them: codes, statuses, and whether to try again."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from cartrita.domain.errors import ErrorKind
from cartrita.domain.events import StopStatus
from cartrita.surfaces.native.errors import STATUS


class DescribedKind(msgspec.Struct, frozen=True):
    """A kind, and its codes; trying again does not mend what those in `lasting` tell."""

    sentence: str
    codes: str
    retryable: bool = False
    lasting: str = ""
    statuses: tuple[int, ...] = ()
    """Beside the one of `STATUS`."""


_UPSTREAM_CODES = (
    "upstream_unreachable upstream_auth upstream_keyless_refused upstream_quota "
    "upstream_plan_limit upstream_spending_limit upstream_overloaded upstream_malformed "
    "upstream_wrong_address upstream_cut upstream_timeout upstream_error"
)
_FORBIDDEN_CODES = (
    "forbidden forbidden_origin forbidden_accept forbidden_host file_destination scope_provider "
    "scope_model scope_operation scope_tool scope_expiry scope_exceeded admin_required "
    "operator_required price_unknown credential_ended address_not_public port_not_read "
    "provider_key_gone desktop_disabled"
)
_NOT_FOUND_CODES = (
    "not_found conversation_not_found message_not_found file_not_found run_not_found "
    "model_not_found agent_not_found provider_not_configured key_not_found credential_not_found "
    "user_not_found tenant_not_found approval_not_found desktop_not_found feedback_not_found"
)
_CONFLICT_CODES = (
    "conflict conversation_busy conversation_exists client_msg_id_reused not_continuable "
    "previous_not_ended run_not_ended key_not_rotatable user_exists tenant_exists local_account "
    "arguments_changed approval_decided approval_expired client_seq_gap already_authenticated "
    "credential_not_current not_started action_broke_off action_refused agent_stuck desktop_busy "
    "desktop_controlled desktop_elsewhere desktop_exists desktop_gone desktop_starting "
    "film_full"
)
_RATE_CODES = (
    "rate_limited too_many_streams too_many_sockets too_many_frames too_many_runs "
    "upstream_rate_limited upstream_secondary_limit upstream_keyless_limit conversation_queue_full "
    "desktop_limit desktop_viewers"
)
_KINDS: Final[dict[ErrorKind, DescribedKind]] = {
    ErrorKind.INVALID: DescribedKind(
        "A value is wrong; `errors` names it.",
        "validation_error not_translatable thread_unsupported_request recording_empty "
        "recording_unreadable recording_format_unsupported nothing_said not_offered",
    ),
    ErrorKind.MALFORMED: DescribedKind(
        "The request cannot be read.",
        "malformed_request two_credentials key_in_query binary_frame text_frame bad_rfb "
        "invalid_utf8 invalid_audio method_not_allowed request_timeout uri_too_long",
        statuses=(405, 408, 414),
    ),
    ErrorKind.TOO_LARGE: DescribedKind(
        "The body, a file or a frame is too large.",
        "too_large recording_too_long audio_frame_too_long",
    ),
    ErrorKind.UNSUPPORTED_MEDIA: DescribedKind(
        "The body or a file is of a type that is not accepted.",
        "unsupported_media_type file_type_not_allowed recording_type_not_accepted ffmpeg_missing",
    ),
    ErrorKind.UNAUTHENTICATED: DescribedKind(
        "No credential, or one that is not known, or that has ended.",
        "unauthenticated key_ended",
    ),
    ErrorKind.FORBIDDEN: DescribedKind("Known, and not allowed.", _FORBIDDEN_CODES),
    ErrorKind.NOT_FOUND: DescribedKind(
        "There is no such thing, or it is somebody else's.", _NOT_FOUND_CODES
    ),
    ErrorKind.CONFLICT: DescribedKind("The state of things forbids it now.", _CONFLICT_CODES),
    ErrorKind.IDEMPOTENCY_MISMATCH: DescribedKind(
        "The Idempotency-Key was used with another body.", "idempotency_mismatch"
    ),
    ErrorKind.RATE_LIMITED: DescribedKind(
        "Too much at once: later; Retry-After says when.", _RATE_CODES, retryable=True
    ),
    ErrorKind.BUDGET: DescribedKind(
        "What is left of a budget does not cover it; Retry-After says when it begins anew.",
        "budget_exhausted",
    ),
    ErrorKind.UNAVAILABLE: DescribedKind(
        "A part of the server is away; Retry-After says when to come back.",
        "unavailable server_busy database_slow draining lease_lost log_expired newer_version "
        "credential_unreadable transcription_unavailable speech_unavailable "
        "speech_format_unavailable transcriber_behind desktop_unavailable",
        retryable=True,
        lasting="log_expired newer_version credential_unreadable transcription_unavailable "
        "speech_unavailable speech_format_unavailable desktop_unavailable",
    ),
    ErrorKind.STORAGE_FULL: DescribedKind(
        "The disk is full, or your files take as much as they may.", "storage_full quota_exceeded"
    ),
    ErrorKind.DEADLINE: DescribedKind(
        "It took longer than it may.",
        "deadline_exceeded idle audio_idle silence",
        retryable=True,
    ),
    ErrorKind.UPSTREAM: DescribedKind(
        "A provider failed; `details.provider` names it.",
        _UPSTREAM_CODES,
        retryable=True,
        lasting="upstream_auth upstream_keyless_refused upstream_quota upstream_plan_limit "
        "upstream_spending_limit upstream_wrong_address",
    ),
    ErrorKind.UPSTREAM_REJECTED: DescribedKind(
        "The provider says that the request is wrong, or has not what was asked.",
        "upstream_rejected upstream_endpoint_missing upstream_recording_refused",
    ),
    ErrorKind.INTERNAL: DescribedKind(
        "It broke on the server's side; its log knows more.", "internal unstorable_output"
    ),
}
_ENDS: Final[dict[StopStatus, DescribedKind]] = {
    StopStatus.INTERRUPTED: DescribedKind(
        "The run was interrupted; what was seen is kept, and can be continued.",
        "interrupted",
        statuses=(503,),
    ),
    StopStatus.CANCELLED: DescribedKind(
        "The run was cancelled; what was seen is kept.", "cancelled", statuses=(409,)
    ),
}
"""Kinds that a run ends by and a request does not."""


def error_kinds() -> list[dict[str, Any]]:
    """The table as `x-error-kinds` of openapi.json holds it."""
    return [
        {
            "kind": kind,
            "sentence": described.sentence,
            "statuses": list(statuses),
            "codes": described.codes.split(),
            "retryable": described.retryable,
            "lasting": described.lasting.split(),
        }
        for kind, described, statuses in _all_kinds()
    ]


def _all_kinds() -> Iterator[tuple[str, DescribedKind, tuple[int, ...]]]:
    for kind in ErrorKind:
        described = _KINDS[kind]
        yield kind.value, described, (STATUS[kind], *described.statuses)
    for end, described in _ENDS.items():
        yield end.value, described, described.statuses
