"""A file that cannot be sent to its end is cut, which is no failure of ours."""

from collections.abc import AsyncGenerator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs
from tests.backend.surfaces.serving import connected, serving

from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.surfaces.error_formats import send_error
from cartrita.surfaces.middleware import ErrorBoundary, RequestContext
from cartrita.surfaces.streamed_files import StreamedFile


async def halfway(_: Request) -> Response:
    async def half() -> AsyncGenerator[bytes]:
        yield b"half"
        raise Unavailable("The database is gone.", code="database_unavailable")

    return StreamedFile(half())


async def refused(_: Request, error: Exception) -> Response:
    raise AssertionError(error)


async def test_a_file_that_breaks_off_is_cut_and_told_in_one_line() -> None:
    app = Starlette(
        routes=[Route("/film", halfway)],
        middleware=[Middleware(RequestContext), Middleware(ErrorBoundary, respond=send_error)],
        exception_handlers={CartritaError: refused},  # as the server has
    )
    async with serving(app) as port, connected(port) as client:
        with capture_logs() as lines:
            client.request("GET", "/film")
            await client.head()
            assert await client.chunk() == b"half"
            assert await client.closed()
    (line,) = [line for line in lines if line["event"] == "request_answered"]
    assert line["cut"] == "database_unavailable"
    (told,) = [line for line in lines if line["log_level"] in ("warning", "error")]
    assert told["event"] == "response_aborted"
    assert "exc_info" not in told
