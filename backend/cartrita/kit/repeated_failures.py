"""Failures of work that is repeated, of which each kind is told in full once."""

from types import TracebackType

import structlog

log = structlog.get_logger(__name__)


class RepeatedFailures:
    """A logger, as `event`, of how each piece of work has failed since it last succeeded."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._known: dict[str, set[tuple[type[BaseException], str, int]]] = {}

    def exception(self, work: str, *, error: Exception, **fields: str | int) -> None:
        """Log how this work failed: with the trace if that is new, else by the error's name."""
        if self._is_new(work, error):
            log.error(self._event, **fields, exc_info=error)
        else:
            log.warning(self._event, **fields, error=type(error).__name__)

    def forget(self, work: str) -> None:
        """This work succeeded: its next failure is new."""
        self._known.pop(work, None)

    def _is_new(self, work: str, error: Exception) -> bool:
        """Whether this work failed in other ways only so far: by another error, or elsewhere."""
        known = self._known.setdefault(work, set())
        kind = (type(error), *_place(error.__traceback__))
        new = kind not in known
        known.add(kind)
        return new


def _place(trace: TracebackType | None) -> tuple[str, int]:
    """The file and the line that raised."""
    if trace is None:
        return "", 0
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno
