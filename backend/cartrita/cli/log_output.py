"""Where the processes of the server and other commands write their logs."""

from cartrita import logs
from cartrita.cli.errors import CommandError
from cartrita.kit.rotating_file import RotatingFile
from cartrita.settings import Settings


def configure_logs(settings: Settings, file: RotatingFile | None = None) -> None:
    """Set up the logs of this process, on stderr and in a file."""
    config = settings.logging
    levels: dict[str, logs.Level] = {one.name: one.level for one in config.levels}
    logs.configure(config.level, config.format, levels=levels, file=file)


def log_file(settings: Settings) -> RotatingFile | None:
    """The file of the settings, to which all processes of the server write."""
    config = settings.logging
    if config.file is None:
        return None
    return RotatingFile(config.file, most_bytes=config.file_max_bytes, count=config.file_count)


def require_log_file(settings: Settings) -> RotatingFile | None:
    """The same, once it could be opened. Raises CommandError."""
    file = log_file(settings)
    try:
        if file is not None:
            file.require_writable()
    except OSError as error:
        raise CommandError(
            f"CARTRITA_LOG_FILE: {settings.logging.file} cannot be written ({error.strerror}): "
            "name a file in a folder that exists and that this user may write to, or leave it out."
        ) from error
    return file
