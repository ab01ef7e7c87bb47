"""The least that a relay over ASGI and our HTTP client does: no key, no route, no retry, no ledger.

`python -m tests.benchmarks.relay_floor http://127.0.0.1:9000/v1` prints its port and exits at the
end of its input.
"""

import asyncio
import socket
import sys

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import HttpRequest

_JSON = {"content-type": "application/json"}


class Floor:
    """Sends each request to the upstream, and each piece of its answer to the client."""

    def __init__(self, upstream: str, http: HttpClient) -> None:
        self._url = f"{upstream}/chat/completions"
        self._http = http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        request = HttpRequest(
            provider="upstream", method="POST", url=self._url, headers=_JSON, body=body
        )
        async with self._http.open(request) as response:
            media_type = response.headers["content-type"].encode()
            headers = [(b"content-type", media_type)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while piece := await response.read():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def main(upstream: str) -> None:
    async with HttpClient() as http:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(4096)
            config = uvicorn.Config(
                Floor(upstream, http), lifespan="off", log_config=None, access_log=False
            )
            server = uvicorn.Server(config)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.serve([listener]))
                sys.stdout.write(f"{listener.getsockname()[1]}\n")
                sys.stdout.flush()
                await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
                server.should_exit = True


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
