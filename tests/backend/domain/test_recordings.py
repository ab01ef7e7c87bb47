"""What is told of recordings that are not accepted."""

import pytest

from cartrita.domain import recordings
from cartrita.domain.errors import CartritaError, ErrorKind, InvalidInput


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (recordings.empty_recording(), "recording_empty", ErrorKind.INVALID),
        (recordings.unreadable_recording("It ends."), "recording_unreadable", ErrorKind.INVALID),
        (
            recordings.unsupported_recording("It has 32 channels."),
            "recording_format_unsupported",
            ErrorKind.INVALID,
        ),
        (
            recordings.not_a_recording("It is a video"),
            "recording_type_not_accepted",
            ErrorKind.UNSUPPORTED_MEDIA,
        ),
        (recordings.ffmpeg_missing(), "ffmpeg_missing", ErrorKind.UNSUPPORTED_MEDIA),
        (recordings.recording_too_long(3600), "recording_too_long", ErrorKind.TOO_LARGE),
        (recordings.recording_too_large(25 << 20), "too_large", ErrorKind.TOO_LARGE),
    ],
)
def test_each_has_its_code_and_kind(error: CartritaError, code: str, kind: ErrorKind) -> None:
    assert (error.code, error.kind) == (code, kind)


def test_what_is_invalid_names_the_field_of_the_recording() -> None:
    error = recordings.empty_recording()
    assert isinstance(error, InvalidInput)
    assert error.fields == {"audio": ["The recording is empty."]}


def test_a_refusal_says_what_to_send_instead() -> None:
    assert "wav, mp3" in recordings.not_a_recording("It is a video").message
    assert "send that, or install ffmpeg" in recordings.ffmpeg_missing().message
