"""Start the fake provider for a test, and talk to its control endpoints."""

import http.client
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
from tests.harness.fake_provider.manners import Manner
from tests.harness.fake_provider.oauth.tokens import Terms
from tests.harness.fake_provider.request_log import Exchange, Open
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.script_selection import Assignment
from tests.harness.stand_ins import started

_WATCHDOG_S = 60


class FakeProvider:
    """A running fake provider. Its methods block for a round trip on the loopback interface.

    `base_url` is what clients of OpenAI's wire are given, `root_url` what Anthropic's are.
    """

    def __init__(self, process: "subprocess.Popen[str]", port: int, key: str, seed: int) -> None:
        self._process = process
        self.port = port
        self.key = key
        self.seed = seed
        self.root_url = f"http://127.0.0.1:{port}"
        self.token_url = f"{self.root_url}/oauth/token"
        self.base_url = f"{self.root_url}/v1"

    @property
    def pid(self) -> int:
        return self._process.pid

    def script(
        self,
        script: Script,
        *,
        times: int = 1,
        default: bool = False,
        model: str | None = None,
        path: str | None = None,
    ) -> None:
        """Queue a script for the next requests, or make it the default, or bind it to a model.

        With `path` it is for requests to that path alone (with `default` for all of them).
        """
        assignment = Assignment(script=script, times=times, default=default, model=model, path=path)
        self._control("POST", "/_script", msgspec.json.encode(assignment))

    def reset(self) -> None:
        """Forget all scripts and requests."""
        self._control("DELETE", "/_script")
        self._control("DELETE", "/_requests")

    def revoke_tokens(self) -> None:
        """Accept none of the tokens that were given out so far."""
        self._control("DELETE", "/_tokens")

    def token_terms(self, terms: Terms) -> None:
        """How long the next tokens are good for."""
        self._control("POST", "/_tokens", msgspec.json.encode(terms))

    def requests(self, since: int = 0) -> list[Exchange]:
        """All from this number on but control requests, oldest first."""
        told = self._control("GET", "/_requests", headers={"since": str(since)})
        return msgspec.json.decode(told, type=list[Exchange])

    def begun(self) -> int:
        """How many requests there ever were: the next has this number.

        (The log begins anew with a reset and keeps only the latest: its length is no number.)
        """
        return self.open().begun

    def open(self) -> Open:
        return msgspec.json.decode(self._control("GET", "/_open"), type=Open)

    def open_streams(self) -> int:
        """How many answers are being given now."""
        return self.open().streams

    def _control(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_WATCHDOG_S)
        try:
            connection.request(method, path, body, {"connection": "close", **(headers or {})})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"{method} {path} was refused: {answer.decode()}")
        return answer


@contextmanager
def fake_provider(
    *,
    seed: int = 0,
    key: str = "sk-faked",
    more_keys: Sequence[str] = (),
    models: Sequence[str] = (),
    port: int = 0,
    manners: Manner = "vendor",
    oauth: bool = False,
) -> Generator[FakeProvider]:
    """Run a fake provider for the length of the block; an empty `key` asks for none.

    It accepts `more_keys` too.

    With `oauth` it accepts no key but the tokens of its `token_url` (`oauth/tokens.py` has the
    client's credentials and the scopes).

    Raises AssertionError at the end if the server ran into anything that no script asked for.
    """
    arguments = ["--port", str(port), "--seed", str(seed), "--manners", manners]
    arguments += ["--key", key] if key else ["--no-key"]
    arguments += [word for other in more_keys for word in ("--key", other)]
    arguments += ["--oauth"] if oauth else []
    arguments += [word for model in models for word in ("--model", model)]
    with started("tests.harness.fake_provider", arguments) as (process, own_port):
        yield FakeProvider(process, own_port, key, seed)
