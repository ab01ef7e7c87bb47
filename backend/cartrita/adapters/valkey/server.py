"""A Valkey server that runs scripts, and is left alone for a while where it fails."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol, Self, TypeAlias, cast

import msgspec
import structlog

from cartrita.domain.errors import Unavailable
from cartrita.kit.operator_error import OperatorError
from cartrita.kit.pause import Pause
from cartrita.kit.secret import Secret

log = structlog.get_logger(__name__)

_CONNECTIONS = 16
_SCHEMES = {"redis": "valkey", "rediss": "valkeys"}

Argument: TypeAlias = str | bytes | int


class _Pool(Protocol):
    async def disconnect(self, inuse_connections: bool = True) -> None: ...


class _Client(Protocol):
    """The part of valkey.asyncio.Valkey that we use; it is typed in parts only."""

    @property
    def connection_pool(self) -> _Pool: ...

    async def execute_command(self, *args: Argument) -> object: ...

    async def aclose(self) -> None: ...


class ClientMissing(OperatorError):
    """The package that speaks to Valkey is not installed."""


class LuaScript(msgspec.Struct, frozen=True):
    """A script in Lua, and its hash, by which a server that has run it knows it."""

    text: str
    sha: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The script of this text."""
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class ValkeyServer:
    """The server at an address, asked for at most `timeout_s`, connecting included.

    A server that does not answer, or refuses us, is left alone for `pause_s`; one that refuses a
    script, because its memory is full or the user may not, is only spared that script.
    """

    def __init__(
        self,
        url: Secret,
        *,
        timeout_s: float = 0.5,
        pause_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connects when it is first asked. Raises OperatorError."""
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._clock = clock
        self._client, self._errors = _open(url)
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._away = Pause(pause_s, clock)
        self._refused: dict[str, Pause] = {}

    async def run(
        self, script: LuaScript, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> object:
        """What a script returns; None for nil, and during a pause. Raises Unavailable."""
        refused = self._refused.setdefault(script.sha, Pause(self._pause_s, self._clock))
        pauses = (self._away, refused)
        if not all(pause.over for pause in pauses):
            return None
        for pause in pauses:
            pause.hold_others()
        call = (len(keys), *keys, *arguments)
        try:
            async with asyncio.timeout(self._timeout_s), self._free:
                reply = await self._evaluate(script, call)
        except (self._errors.ResponseError, self._errors.DataError) as error:
            self._away.end()
            refused.begin()
            log.warning("valkey_refused", error=type(error).__name__)
            raise _unavailable() from None
        except (self._errors.ValkeyError, OSError) as error:  # a TimeoutError is an OSError
            self._away.begin()
            log.warning("valkey_away", error=type(error).__name__)
            raise _unavailable() from None
        ended = [pause.end() for pause in pauses]
        if any(ended):
            log.info("valkey_back")
        return reply

    async def drop_connections(self) -> None:
        """Close the connections that nobody uses: that of the reply just received is among them.

        For a reply that answers another question, because all later ones on it would do so, too.
        """
        log.warning("valkey_mixed_up")
        with suppress(self._errors.ValkeyError, OSError):
            async with asyncio.timeout(self._timeout_s):
                await self._client.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _evaluate(self, script: LuaScript, call: Sequence[Argument]) -> object:
        try:
            return await self._client.execute_command("EVALSHA", script.sha, *call)
        except self._errors.NoScriptError:
            return await self._client.execute_command("EVAL", script.text, *call)


def _open(url: Secret) -> tuple[_Client, Any]:
    """A client of valkey-py, and the module of its errors."""
    try:
        module = cast("Any", import_module("valkey.asyncio"))
        errors: Any = import_module("valkey.exceptions")
        retry = cast("Any", import_module("valkey.asyncio.retry")).Retry
        pauses = cast("Any", import_module("valkey.backoff")).NoBackoff
    except ImportError:
        raise ClientMissing(
            "valkey.url is set, and the client for it is not installed; it is the extra valkey, in "
            "a clone: .venv/bin/uv pip install --python .venv -c requirements.lock "
            "-e 'backend[valkey]'."
        ) from None
    scheme, _, rest = url.reveal().partition("://")
    try:
        pool = module.ConnectionPool.from_url(
            f"{_SCHEMES.get(scheme, scheme)}://{rest}",
            max_connections=_CONNECTIONS,
            lib_name=None,
            retry=retry(pauses(), 1),  # where a restarted server has closed what is in the pool
            retry_on_error=[errors.ConnectionError],
        )
    except (TypeError, ValueError):  # what they say would repeat the address
        raise OperatorError(
            "valkey.url has options that are not understood; write valkey://host:6379/0."
        ) from None
    return cast("_Client", module.Valkey.from_pool(pool)), errors


def _unavailable() -> Unavailable:
    return Unavailable("Valkey cannot be reached right now; try again in a moment.", retry_after=1)
