"""Receivers of spans, over HTTP: what they are sent, what they say, and what an operator is told.

The standard exporter of OpenTelemetry does the sending. It adds headers of the environment to what
it is given, so the key of a collector would go to Langfuse; it takes a redirect for a success; and
it does not tell why something failed. The session that it is given here minds all three.
"""

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from cartrita.adapters.tracing.complaints import Complaints

log = structlog.get_logger(__name__)

_SYSTEM: Final = ssl.get_default_verify_paths().cafile
"""The certificates that this machine trusts."""


class _Session(requests.Session):
    """Sends what it is told to and nothing else, and remembers what became of it."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, no certificate and no password of a .netrc
        self._given = dict(headers)
        self.outcome: int | str = 0

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        self.verify, self.cert = _SYSTEM or True, None
        kwargs["headers"] = self._given
        try:
            response = super().request(*args, **kwargs)
        except requests.RequestException as error:
            self.outcome = type(error).__name__
            raise
        self.outcome = response.status_code
        if response.is_redirect:
            raise requests.exceptions.InvalidURL
        return response


class Receiver:
    """A server that spans are sent to, by `name`; `fixes` say what helps, by status."""

    def __init__(
        self,
        name: str,
        url: str,
        headers: Mapping[str, str],
        fixes: Mapping[int, str],
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._complaints = Complaints(fixes, clock)
        self._name = name
        self._session = _Session(
            {**headers, "content-type": "application/x-protobuf", "content-encoding": "gzip"}
        )
        self._exporter = OTLPSpanExporter(
            endpoint=url,
            headers={},
            timeout=timeout_s,
            compression=Compression.Gzip,
            session=self._session,
        )

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """Whether they were taken; an operator is told of what is wrong, each thing seldom."""
        if self._exporter.export(spans) is SpanExportResult.SUCCESS:
            if self._complaints.over():
                log.info("traces_taken_again", receiver=self._name)
            return True
        outcome = self._session.outcome
        if (fix := self._complaints.fix(outcome)) is not None:
            log.warning(
                "traces_not_taken",
                receiver=self._name,
                outcome=outcome,
                spans=len(spans),
                fix=fix,
            )
        return False

    def close(self) -> None:
        """Send nothing more; what is being tried again is not."""
        self._exporter.shutdown()
