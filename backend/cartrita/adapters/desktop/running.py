"""A desktop that runs on this machine, as any worker sees it: implements `Desktop`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from cartrita.adapters.desktop import folders
from cartrita.adapters.desktop.frames import answer_decoder, frame, read_frame, read_piece
from cartrita.adapters.desktop.orders import (
    ActRequest,
    Answer,
    CheckedAnswer,
    CheckRequest,
    ControlAnswer,
    DoneAnswer,
    HandBackRequest,
    HeldAnswer,
    HeldRequest,
    KeepRequest,
    LetGoRequest,
    LookAnswer,
    LookRequest,
    PictureHead,
    PingRequest,
    RefusedAnswer,
    Request,
    StopRequest,
    TakeRequest,
    UnchangedAnswer,
    UnchangedRequest,
    ViewRequest,
)
from cartrita.adapters.desktop.peers import peer
from cartrita.domain.desktop import Action, ControlChange, Done, Shot
from cartrita.domain.desktop_errors import (
    ActionBrokeOff,
    ActionRefused,
    Controlled,
    DesktopGone,
    ScreenChanged,
)
from cartrita.domain.desktop_hands import Impossible
from cartrita.domain.desktop_stillness import Stillness
from cartrita.domain.errors import CartritaError, Malformed, RateLimited, Unavailable
from cartrita.domain.ids import RunId
from cartrita.kit.secret import Secret

_GONE: Final = (OSError, EOFError, ValueError, msgspec.DecodeError)
"""Nobody tells any more, or it is nothing that a host of ours would tell."""
_NOBODY: Final = (FileNotFoundError, ConnectionRefusedError, ConnectionResetError)
"""Nobody listens. With any other error, as that of a process which may open no more files, it may
run as before."""
_ENDED: Final = "The desktop ended before it could tell what came of this."
_UNTOLD: Final = "The desktop did not tell in time what came of this."
_LATE: Final = "The desktop did not answer in time: try again."
ANSWER_S: Final = 90.0
_ALIVE_S: Final = 30.0
"""A host that does nothing for so long, twice, is frozen."""
_ALIVE_TRIES: Final = 2
"""This process may have stood still itself meanwhile: then it has not heard an answer."""
_STOP_S: Final = 10.0
_OF_REASONS: Final[Mapping[str, Callable[[str], CartritaError]]] = {
    "action": ActionRefused,
    "changed": ScreenChanged,
    "controlled": Controlled,
    "broken_off": ActionBrokeOff,
    "late": partial(Unavailable, code="desktop_unavailable"),
    "viewers": partial(RateLimited, code="desktop_viewers"),
    "rfb": partial(Malformed, code="bad_rfb"),
}


class RunningDesktop:
    """Speaks with the host over the socket in the desktop's folder."""

    def __init__(self, folder: Path, answer_s: float = ANSWER_S) -> None:
        """`answer_s` is how long any host that works needs for an answer, also while an action is
        in hand, and half of what it needs for an action: later is Unavailable.
        """
        self._folder = folder
        self._answer_s = answer_s
        self._alive_s = min(answer_s, _ALIVE_S)

    async def keep(self, secrets: Mapping[str, Secret], run_id: RunId | None) -> None:
        """See `Desktop.keep`."""
        revealed = {name: secret.reveal() for name, secret in secrets.items()}
        async with self._asked(KeepRequest(revealed, run_id)):
            return

    async def refused(
        self, actions: Sequence[Action], run_id: RunId | None = None, seen: int | None = None
    ) -> Impossible | None:
        """See `Desktop.refused`."""
        async with self._asked(CheckRequest(tuple(actions), run_id, seen)) as (answer, _):
            if not isinstance(answer, CheckedAnswer):
                raise DesktopGone.ended()
            return answer.refused

    async def held_by(self) -> RunId | None:
        """See `Desktop.held_by`."""
        async with self._asked(HeldRequest()) as (answer, _):
            if not isinstance(answer, HeldAnswer):
                raise DesktopGone.ended()
            return answer.run_id

    async def let_go(self, run_id: RunId | None = None) -> None:
        """See `Desktop.let_go`."""
        async with self._asked(LetGoRequest(run_id)):
            return

    async def act(
        self, action: Action, seen: int | None = None, run_id: RunId | None = None
    ) -> Done:
        """See `Desktop.act`."""
        async with self._connected() as (reader, writer):
            writer.write(frame(ActRequest(action, seen, run_id)))
            try:
                async with asyncio.timeout(2 * self._answer_s):
                    return await _done(reader)
            except DesktopGone:
                raise ActionBrokeOff(_ENDED) from None
            except TimeoutError:
                raise ActionBrokeOff(_UNTOLD) from None

    async def is_unchanged(self, digest: str, still: Stillness) -> bool:
        """See `Desktop.is_unchanged`."""
        async with self._asked(UnchangedRequest(digest, still)) as (answer, _):
            return isinstance(answer, UnchangedAnswer) and answer.unchanged

    async def look(self) -> Shot:
        """See `Desktop.look`."""
        async with self._asked(LookRequest()) as (answer, reader):
            if not isinstance(answer, LookAnswer):
                raise DesktopGone.ended()
            return await _picture(answer.picture, reader)

    async def take(self, holder: str, seconds: float) -> ControlChange:
        """See `Desktop.take`."""
        return await self._control(TakeRequest(holder, seconds))

    async def hand_back(self, holder: str) -> ControlChange:
        """See `Desktop.hand_back`."""
        return await self._control(HandBackRequest(holder))

    @asynccontextmanager
    async def view(self, holder: str) -> AsyncGenerator["ViewerStream"]:
        """See `Desktop.view`."""
        async with self._connected() as (reader, writer):
            writer.write(frame(ViewRequest(holder)))
            async with _in_time(self._answer_s):
                _require(await _answer(reader))
            yield ViewerStream(reader, writer)

    async def answers(self) -> bool:
        """Whether it runs.

        Raises Unavailable where that cannot be found out, and where it does not tell in time.
        """
        async with _in_time(self._alive_s):
            return await self._is_alive()

    async def is_dead(self) -> bool:
        """Whether it does not run any more, or is frozen, and does nothing that it is asked.

        Raises Unavailable where that cannot be found out.
        """
        for _ in range(_ALIVE_TRIES):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._alive_s):
                    return not await self._is_alive()
        return True

    async def stop(self) -> None:
        """Ask it to end, and wait until the connection is closed because it has.

        It is killed if that takes longer than any desktop needs, which ends all of it.
        """
        async with self._connected() as (reader, writer):
            writer.write(frame(StopRequest()))
            try:
                async with asyncio.timeout(_STOP_S):
                    await reader.read()
            except TimeoutError:
                peer(writer.get_extra_info("socket")).kill()
            except ConnectionError:
                return

    async def _is_alive(self) -> bool:
        try:
            async with self._connected() as (reader, writer):
                writer.write(frame(PingRequest()))
                _require(await _answer(reader))
        except DesktopGone:
            return False
        return True

    async def _control(self, request: TakeRequest | HandBackRequest) -> ControlChange:
        async with self._asked(request) as (answer, _):
            if not isinstance(answer, ControlAnswer):
                raise DesktopGone.ended()
            return answer.change

    @asynccontextmanager
    async def _asked(self, request: Request) -> AsyncGenerator[tuple[Answer, asyncio.StreamReader]]:
        """The answer, and where its pictures are read, in time. Raises what was refused."""
        async with _in_time(self._answer_s), self._connected() as (reader, writer):
            writer.write(frame(request))
            answer = await _answer(reader)
            _require(answer)
            yield answer, reader

    @asynccontextmanager
    async def _connected(
        self,
    ) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection of its own, which is closed at the end.

        Raises DesktopGone, also where another than a host of ours listens, and Unavailable.
        """
        try:
            with folders.socket_path(self._folder) as path:
                reader, writer = await asyncio.open_unix_connection(path)
        except _NOBODY:
            raise DesktopGone.ended() from None
        except OSError as error:
            raise Unavailable(
                f"The desktop cannot be reached now ({error.strerror}): try again.",
                code="desktop_unavailable",
            ) from None
        try:
            if not peer(writer.get_extra_info("socket")).is_ours:
                raise DesktopGone.ended()
            yield reader, writer
        finally:
            writer.close()


class ViewerStream:
    """The viewer's end of a connection that carries RFB: implements `Viewer`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> bytes:
        """See `Viewer.receive`."""
        try:
            shown = await read_piece(self._reader)
            if not shown:
                _require(await read_frame(self._reader, answer_decoder))
        except _GONE:
            return b""
        return shown

    async def send(self, data: bytes) -> None:
        """See `Viewer.send`."""
        self._writer.write(data)
        with suppress(ConnectionError):  # `receive` tells
            await self._writer.drain()


@asynccontextmanager
async def _in_time(seconds: float) -> AsyncGenerator[None]:
    """Raises Unavailable if this takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable(_LATE, code="desktop_unavailable") from None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    try:
        return await read_frame(reader, answer_decoder)
    except _GONE:
        raise DesktopGone.ended() from None


async def _done(reader: asyncio.StreamReader) -> Done:
    """What came of an action. Raises what was refused, and DesktopGone where nobody answers."""
    answer = await _answer(reader)
    _require(answer)
    if not isinstance(answer, DoneAnswer):
        raise DesktopGone.ended()
    before = await _picture(answer.before, reader)
    after = await _picture(answer.after, reader)
    return Done(
        before=before,
        after=after,
        seconds=answer.seconds,
        picture=None if answer.picture is None else await _picture(answer.picture, reader),
        pointer=answer.pointer,
        version=answer.version,
        held=answer.held,
        digest=answer.digest,
    )


def _require(answer: Answer) -> None:
    """Raise what was refused."""
    if isinstance(answer, RefusedAnswer):
        refused = _OF_REASONS.get(answer.why)
        raise DesktopGone.ended() if refused is None else refused(answer.message)


async def _picture(head: PictureHead, reader: asyncio.StreamReader) -> Shot:
    try:
        png = await reader.readexactly(head.octets)
    except _GONE:
        raise DesktopGone.ended() from None
    return Shot(png, head.width, head.height, head.pointer)
