"""Programs of the system as the slow tests use them, and a look at what they leave behind."""

import subprocess
import tempfile
from pathlib import Path

import psutil

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.speech.ffmpeg import Ffmpeg, installed_ffmpeg
from cartrita.adapters.speech.recordings import RecordingBounds, SniffedRecordings
from cartrita.adapters.speech.seats import EngineSeats

BOUNDS = ProcessBounds(seconds=120, memory_bytes=1 << 30)
FORMATS = {
    "mp3": ("-f", "mp3"),
    "ogg": ("-c:a", "libvorbis", "-f", "ogg"),
    "opus": ("-c:a", "libopus", "-f", "ogg"),
    "webm": ("-c:a", "libopus", "-f", "webm"),
    "m4a": ("-f", "ipod"),
    "mp4": ("-c:a", "aac", "-f", "mp4"),
    "flac": ("-f", "flac"),
    "aac": ("-f", "adts"),
}


def ffmpeg() -> Ffmpeg:
    found = installed_ffmpeg(BOUNDS)
    assert found is not None, "ffmpeg is missing: apt install ffmpeg"
    return found


def reader(
    seconds: float = 3600, octets: int = 25 << 20, decoding_s: float = 300
) -> SniffedRecordings:
    bounds = RecordingBounds(octets=octets, seconds=seconds, decoding_s=decoding_s)
    return SniffedRecordings(bounds, EngineSeats(2), ffmpeg())


def made(folder: Path, *arguments: str, source: bytes | None = None) -> bytes:
    """What ffmpeg makes of a file, or of what it makes up itself."""
    target = folder / "made"
    given = ()
    if source is not None:
        (folder / "source").write_bytes(source)
        given = ("-i", str(folder / "source"))
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *given, *arguments, str(target)],
        check=True,
        timeout=120,
    )
    return target.read_bytes()


def spoken(text: str, folder: Path, voice: str = "rms") -> bytes:
    """A WAV file in which flite says this."""
    (folder / "text").write_text(text)
    target = folder / "spoken.wav"
    subprocess.run(
        ["flite", "-voice", voice, "-f", str(folder / "text"), "-o", str(target)],
        check=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    return target.read_bytes()


def left_behind() -> tuple[set[str], list[str]]:
    """The temporary files there are, and the processes that this one has started itself.

    What those have started comes and goes: servers of other tests may be among them.
    """
    files = {path.name for path in Path(tempfile.gettempdir()).iterdir()}
    return files, [" ".join(one.cmdline()) for one in psutil.Process().children()]
