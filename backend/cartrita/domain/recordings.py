"""Recordings: which are accepted, and what is told of those that are not."""

from typing import Final

from cartrita.domain.errors import InvalidInput, NotOffered, TooLarge, UnsupportedMedia

FIELD: Final = "audio"
"""The field that these errors name; where it has another name, a surface tells that one."""
RATES: Final = range(4_000, 192_001)
"""Samples a second."""
MOST_CHANNELS: Final = 8
_ACCEPTED: Final = "wav, mp3, ogg, opus, webm, m4a, flac or aac"


def empty_recording() -> InvalidInput:
    """It has no bytes, or no samples."""
    return _invalid("recording_empty", "The recording is empty.")


def unreadable_recording(reason: str) -> InvalidInput:
    """It is cut off or broken; `reason` is a sentence."""
    return _invalid("recording_unreadable", f"The recording cannot be read. {reason}")


def unsupported_recording(reason: str) -> InvalidInput:
    """A recording in a way that nothing here takes; `reason` is a sentence."""
    return _invalid("recording_format_unsupported", reason)


def not_a_recording(what: str) -> UnsupportedMedia:
    """Something else; `what` says what it is, as in "It is a video"."""
    return UnsupportedMedia(
        f"{what}: send a recording as {_ACCEPTED}.", code="recording_type_not_accepted"
    )


def ffmpeg_missing() -> UnsupportedMedia:
    """It would have to be decoded, and only wav is without a program that this server lacks."""
    return UnsupportedMedia(
        "Only wav can be decoded here: send that, or install ffmpeg where the server runs "
        "(apt install ffmpeg).",
        code="ffmpeg_missing",
    )


def recording_too_long(seconds: float) -> TooLarge:
    """It lasts longer than so many seconds."""
    return TooLarge(
        f"The recording is longer than {seconds:g} seconds: send it in parts.",
        code="recording_too_long",
    )


def recording_too_large(octets: int) -> TooLarge:
    """It has more than so many bytes."""
    return TooLarge(f"The recording is larger than {octets:,} bytes: send it in parts.")


def not_translated(transcriber: str) -> NotOffered:
    """What transcribes writes down what is said, in the language in which it is."""
    return NotOffered.of(
        "transcriber",
        f"{transcriber} does not translate; openai and servers with its audio API do, and "
        "embedded/faster-whisper",
    )


def _invalid(code: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={FIELD: [message]}, code=code)
