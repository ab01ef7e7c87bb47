"""Files that are sent as they are made."""

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.cut_answers import mark_cut

log = structlog.get_logger(__name__)


class StreamedFile(StreamingResponse):
    """What fails while it is sent cuts the connection, so that nobody takes it for whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises ClientDisconnect, and what nobody expected."""
        try:
            await super().__call__(scope, receive, send)
        except CartritaError as error:
            # Nothing more is sent: the server closes the connection of a response without an end.
            # Raised, it would be an error of one who answers twice, with its traceback.
            mark_cut(scope, error.code)
            log.warning("response_aborted", path=scope["path"], code=error.code)
