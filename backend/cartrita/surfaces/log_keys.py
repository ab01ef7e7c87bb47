"""What the lines in the log of a request tell of it."""

import structlog

from cartrita.domain.ids import RunId


def bind_request(request_id: str, surface: str) -> None:
    """Have all that this request logs tell its id and its surface.

    One that was sent before the answer to another on its connection has the context of that one.
    """
    structlog.contextvars.unbind_contextvars("run_id")
    structlog.contextvars.bind_contextvars(request_id=request_id, surface=surface)


def bind_run(run_id: RunId) -> None:
    """Have all that this request logs from now on tell the run that answers it.

    Called in the task of the request, whose last line is that of `middleware.log_request`.
    """
    structlog.contextvars.bind_contextvars(run_id=run_id.hex)
