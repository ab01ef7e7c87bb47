"""Faults that answer with something else: a status, a page, a redirect, other headers, gzip."""

import zlib
from typing import Annotated, Literal

import msgspec
from tests.harness.fake_provider.fault import Fault, Rendering, until_head
from tests.harness.fake_provider.steps import Head, Send, Steps


class ReplacedResponse(Fault, frozen=True, tag="answer"):
    """Answer with this instead; without a body, with the vendor's error for the status.

    `code` is put in the place of the error's own.
    """

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 200
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    body: str | None = None
    code: str | None = None

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        body = self.body.encode() if self.body is not None else None
        if body is None:
            body = rendering.refusal(self.status, self.code)
        headers = {"content-type": "application/json"} | {
            name.lower(): text for name, text in self.headers.items()
        }
        yield from until_head(steps)
        yield Head(self.status, tuple(headers.items()), len(body))
        yield Send(body)


class Html(Fault, frozen=True, tag="html"):
    """A page with 200, as captive portals and proxies in front of a provider send it."""

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        page = "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"
        instead = ReplacedResponse(headers={"content-type": "text/html; charset=utf-8"}, body=page)
        return instead.apply(steps, rendering)


class Redirect(Fault, frozen=True, tag="redirect"):
    location: str
    status: Literal[301, 302, 303, 307, 308] = 307

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        instead = ReplacedResponse(status=self.status, headers={"location": self.location}, body="")
        return instead.apply(steps, rendering)


class Headers(Fault, frozen=True, tag="headers"):
    """Set headers of the answer that comes anyway; an empty text removes one."""

    set: dict[str, str]

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        for step in steps:
            if isinstance(step, Head):
                headers = dict(step.headers) | {name.lower(): v for name, v in self.set.items()}
                kept = tuple((name, text) for name, text in headers.items() if text)
                yield msgspec.structs.replace(step, headers=kept)
            else:
                yield step


class Gzip(Fault, frozen=True, tag="gzip"):
    """The body compressed, asked for or not; `bomb_bytes` puts so many blanks before it."""

    bomb_bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 34)] = 0

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        squeeze = zlib.compressobj(level=6, wbits=31)
        for step in steps:
            if isinstance(step, Head):
                encoding = (("content-encoding", "gzip"),)
                yield Head(step.status, step.headers + encoding)
                for _ in range(0, self.bomb_bytes, 1 << 20):
                    yield Send(squeeze.compress(b" " * (1 << 20)))
            elif isinstance(step, Send):
                packed = squeeze.compress(step.data) + squeeze.flush(zlib.Z_SYNC_FLUSH)
                yield Send(packed, step.tokens)
            else:
                yield step
        yield Send(squeeze.flush())
