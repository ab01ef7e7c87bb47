"""Containers of recordings, told by their bytes: what they are, and whether they hold video."""

import re
from typing import Final, NamedTuple

from cartrita.domain.media_types import HEAD_BYTES, sniffed_type
from cartrita.domain.recordings import not_a_recording


class Container(NamedTuple):
    """A kind of file that holds sound, and what ffmpeg's reader of it is called."""

    media_type: str
    demuxer: str
    keeps_length: bool = False
    """Whether it says itself how long it is, so that one that was cut off can be told."""


WAV: Final = Container("audio/wav", "wav")
_CONTAINERS: Final = {
    "audio/wav": WAV,
    "audio/mpeg": Container("audio/mpeg", "mp3"),
    "audio/ogg": Container("audio/ogg", "ogg"),
    "audio/flac": Container("audio/flac", "flac", keeps_length=True),
    "audio/mp4": Container("audio/mp4", "mov", keeps_length=True),
    "video/mp4": Container("audio/mp4", "mov", keeps_length=True),
    "video/webm": Container("audio/webm", "matroska"),
}
"""By what the first bytes say; whether there is video too is seen further inside."""
_AAC: Final = Container("audio/aac", "aac")
_ADTS: Final = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_STRETCH: Final = 1 << 20
_LONGEST_MARK: Final = 64
"""More bytes than any of these has."""
_VIDEO_TRACKS: Final = {
    "mov": re.compile(rb"hdlr\x00{8}vide"),
    "matroska": re.compile(rb"\x86[\x81-\xff]V_[A-Z]"),
    "ogg": re.compile(rb"\x80theora|OVP80|BBCD\x00"),
}


def container_of(data: bytes, name: str) -> Container:
    """What these bytes are. Raises UnsupportedMedia for what is no sound, as far as one can see."""
    head = data[:HEAD_BYTES]
    if _ADTS.match(head):
        return _AAC
    media_type = sniffed_type(head, name)
    container = _CONTAINERS.get(media_type)
    if container is None:
        raise not_a_recording(f"It is no recording, but {media_type}")
    video = _VIDEO_TRACKS.get(container.demuxer)
    # The tracks of MP4 may be listed at its end; those of the others are at their beginning.
    if video and _is_in(video, data if container.demuxer == "mov" else head):
        raise a_video()
    return container


def _is_in(pattern: re.Pattern[bytes], data: bytes) -> bool:
    """Whether it is found, in stretches between which other threads go on."""
    return any(
        pattern.search(data, at, at + _STRETCH + _LONGEST_MARK)
        for at in range(0, len(data), _STRETCH)
    )


def a_video() -> Exception:
    """It holds moving pictures."""
    return not_a_recording("It is a video")
