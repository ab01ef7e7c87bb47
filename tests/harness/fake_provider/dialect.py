"""What the endpoints of all dialects share: the call at hand and the server behind it."""

import hmac
import time
from collections.abc import Sequence
from typing import Protocol

import msgspec
from tests.harness.fake_provider.http import Request
from tests.harness.fake_provider.manners import Manners
from tests.harness.fake_provider.oauth.tokens import Tokens
from tests.harness.fake_provider.refusal import Refusal
from tests.harness.fake_provider.request_log import Exchange
from tests.harness.fake_provider.script_selection import ScriptSelector
from tests.harness.fake_provider.seals import Seal
from tests.harness.fake_provider.steps import Head, Send, Steps


class Service:
    """The server as its endpoints see it.

    Without `keys` none is asked for. With `oauth` only its own tokens are accepted, no key is.
    """

    def __init__(
        self,
        *,
        seed: int,
        keys: Sequence[str],
        models: Sequence[str],
        manners: Manners,
        oauth: bool = False,
    ) -> None:
        self.seed = seed
        self.seal = Seal(seed)
        self._keys = keys
        self.tokens = Tokens(self.seal) if oauth else None
        self.manners = manners
        self.selector = ScriptSelector(models)
        self.started = int(time.time())
        # What a dialect keeps between requests, by its id.
        self.kept: dict[str, object] = {}
        self.threads: dict[str, object] = {}

    @property
    def asks_for_key(self) -> bool:
        return bool(self._keys) or self.tokens is not None

    def accepts(self, key: str) -> bool:
        if self.tokens is not None:
            return self.tokens.accepts(key)
        return any(hmac.compare_digest(key.encode(), known.encode()) for known in self._keys)


class Call(msgspec.Struct, frozen=True):
    """A request that is being answered; `request_id` goes into headers and envelopes."""

    service: Service
    request: Request
    exchange: Exchange
    request_id: str

    @property
    def path(self) -> str:
        return self.request.path.partition("?")[0]

    @property
    def bearer(self) -> str:
        """The token of an Authorization header, empty where it is none or of another scheme."""
        scheme, _, key = self.request.header("authorization").partition(" ")
        return key if scheme.lower() == "bearer" else ""

    def envelope(self, refusal: Refusal) -> bytes:
        return self.service.manners.envelope(refusal, self.request_id)

    def refused(self, refusal: Refusal, code: str | None) -> bytes:
        """The envelope with another code in it."""
        if code is not None:
            refusal.code = code
        return self.envelope(refusal)


class Dialect(Protocol):
    """A vendor's endpoints, each a module."""

    def request_id_header(self) -> str:
        """The header that names an answer."""
        ...

    def answer(self, call: Call) -> Steps:
        """Return what to do on the socket; raises Refusal."""
        ...

    def refuse_script(self, message: str) -> Refusal:
        """A [[script]] that is none, in the vendor's envelope."""
        ...


def plain(status: int, body: bytes, content_type: str = "application/json") -> Steps:
    yield Head(status, (("content-type", content_type),), len(body))
    yield Send(body)
