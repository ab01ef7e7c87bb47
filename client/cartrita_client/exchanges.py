"""What both transports share: how a request is put, and what a failed connection means."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2

from cartrita_client.answers import elsewhere, value
from cartrita_client.errors import CartritaError, NotCartrita, TimedOut, Unreachable
from cartrita_client.operations import Call
from cartrita_client.settings import VERSION, Settings

_IDLE_S = 2.0
"""Shorter than servers keep an idle connection, so that no request goes into a closing one."""
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_ENDLESS = httpx2.Timeout(None)


def client_options(settings: Settings) -> dict[str, Any]:
    """How the HTTP client is made: it follows no redirects, and keeps no cookies."""
    return {
        "verify": _verification(settings),
        "follow_redirects": False,
        "trust_env": not settings.address.is_loopback,
        "timeout": _ENDLESS,
        "limits": httpx2.Limits(max_connections=None, keepalive_expiry=_IDLE_S),
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        "headers": {
            "User-Agent": f"cartrita-client/{VERSION}",
            "X-Client-Version": f"python/{VERSION}",
            **settings.headers,
        },
    }


def unmade(settings: Settings, problem: Exception) -> Unreachable:
    """The error where no connection can be made with what the environment says of proxies."""
    root = settings.address.root
    reason = _reason(problem) if isinstance(problem, ImportError) else "look at their addresses."
    return Unreachable(f"{root} cannot be reached through the proxies set: {reason}", sent=False)


def _verification(settings: Settings) -> bool | ssl.SSLContext:
    """The certificates of the system are loaded for TLS only: that takes tens of milliseconds."""
    return settings.verify if settings.address.root.startswith("https:") else False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call to a server, as the HTTP client wants it."""

    settings: Settings
    call: Call

    @property
    def target(self) -> tuple[str, str]:
        """The method and the address."""
        return self.call.operation.method, self.settings.address.url(self.call.path)

    def options(self) -> dict[str, Any]:
        """The rest of the request, but for what it sends of a form."""
        headers = {"Accept": self._accepted, **self.call.headers}
        if self.call.body is not None:
            headers["Content-Type"] = "application/json"
        if (form := self.call.form) is not None:
            headers["Content-Type"] = form.media_type
            if form.length is not None:
                headers["Content-Length"] = str(form.length)
        found = {"params": list(self.call.query), "headers": headers, "timeout": self._timeout}
        return found if self.call.body is None else {**found, "content": self.call.body}

    @property
    def limit(self) -> float | None:
        """How long the whole answer may take; None where only silence is counted."""
        if self.call.form is not None or self.call.operation.kind in ("stream", "bytes"):
            return None
        return self.call.timeout or self.settings.timeouts.of(self.call.operation)

    @property
    def error_limit(self) -> float:
        """How long the answer may take that is an error instead."""
        return self.limit or self.call.timeout or self.settings.timeouts.answer

    @property
    def _accepted(self) -> str:
        kinds = {"stream": "text/event-stream", "bytes": "*/*"}
        return kinds.get(self.call.operation.kind, "application/json")

    @property
    def _timeout(self) -> httpx2.Timeout:
        times = self.settings.timeouts
        silence = self.call.timeout or times.silence
        read = self.limit or silence
        if self.call.form is not None and self.call.timeout is None:
            # The server reads what it was sent, and only then begins with its answer.
            read = max(silence, times.of(self.call.operation))
        return httpx2.Timeout(read, connect=times.connect, write=silence)

    def failure(self, problem: Exception) -> CartritaError:
        """The error for what the HTTP client, or reading the answer, raised."""
        root = self.settings.address.root
        match problem:
            case CartritaError():
                return problem
            case httpx2.ConnectTimeout():
                return Unreachable(f"{root} does not answer: is the server there?", sent=False)
            case httpx2.TimeoutException():
                return TimedOut(f"{root} took too long for {self.call.operation.name}.")
            case _ if isinstance(problem, _NOT_SENT):
                return Unreachable(f"{root} cannot be reached: {_reason(problem)}", sent=False)
            case httpx2.UnsupportedProtocol() | httpx2.DecodingError():
                return NotCartrita(f"{root} answered what cannot be read: {_reason(problem)}")
            case _:
                return Unreachable(f"The connection to {root} broke: {_reason(problem)}")

    def redirect(self, headers: Mapping[str, str]) -> NotCartrita:
        """Where a server sends elsewhere."""
        return elsewhere(self.settings.address.root, headers)

    def value(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        """The value of a whole answer. Raises CartritaError."""
        if 300 <= status < 400:
            raise self.redirect(headers)
        return value(self.call.operation, status, headers, body)


def _reason(problem: Exception) -> str:
    text = str(problem).strip().rstrip(".") or type(problem).__name__
    return f"{text[:200]}."
