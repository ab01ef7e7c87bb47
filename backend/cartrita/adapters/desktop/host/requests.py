"""Answers what workers ask of a desktop; a connection that is closed cancels what it asked."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from cartrita.adapters.desktop.frames import (
    FrameTooLong,
    frame,
    pass_over,
    read_frame,
    request_decoder,
)
from cartrita.adapters.desktop.host.gate import Gate
from cartrita.adapters.desktop.host.hands import Eyes, Hands
from cartrita.adapters.desktop.host.reasons import FirstReason
from cartrita.adapters.desktop.host.viewers import MOST, Viewers
from cartrita.adapters.desktop.orders import (
    ActRequest,
    Answer,
    CheckedAnswer,
    CheckRequest,
    ControlAnswer,
    DoneAnswer,
    GrantedAnswer,
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
from cartrita.domain.desktop import LOOKS, Button, Done, Shot
from cartrita.domain.desktop_errors import ActionRefused, Controlled, DesktopGone, ScreenChanged
from cartrita.domain.errors import DeadlineExceeded, Unavailable

_STOPPED: Final = "It was stopped."
_TOO_LONG: Final = "This is more than a desktop can be told at once: none of it was done."
_FAILED: Final = "The desktop failed at this, and may have done a part of it."


class Requests:
    """What is asked on the socket of a desktop, one request a connection."""

    def __init__(
        self, hands: Hands, eyes: Eyes, gate: Gate, viewers: Viewers, ending: FirstReason
    ) -> None:
        self._hands = hands
        self._eyes = eyes
        self._gate = gate
        self._viewers = viewers
        self._ending = ending

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        with suppress(EOFError, ConnectionError, ValueError, msgspec.DecodeError):
            try:
                await self._serve(await read_frame(reader, request_decoder), reader, writer)
            except FrameTooLong as error:
                await pass_over(reader, error.size)  # else who tells it does not hear the answer
                writer.write(frame(RefusedAnswer("action", _TOO_LONG)))
        writer.close()

    async def _serve(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match request:
            case ViewRequest(holder):
                await self._view(holder, reader, writer)
            case StopRequest():
                self._ending.because(_STOPPED)
                await reader.read()  # it is closed by the end of this process
            case _:
                await self._answer(request, reader, writer)

    async def _view(
        self, holder: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._viewers.full:
            told = f"The desktop has {MOST} viewers already: close one of them first."
            writer.write(frame(RefusedAnswer("viewers", told)))
            return
        writer.write(frame(GrantedAnswer()))
        await self._viewers.carry(holder, reader, writer)

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Do it, unless the connection is closed before it is done."""
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._reply(request))
            closed = tasks.create_task(reader.read(1))
            await asyncio.wait((work, closed), return_when=asyncio.FIRST_COMPLETED)
            work.cancel()
            closed.cancel()
        if not work.cancelled():
            writer.writelines(work.result())
            await writer.drain()

    async def _reply(self, request: Request) -> Sequence[bytes]:
        """The answer, and its pictures."""
        try:
            return await self._done(request)
        except ActionRefused as error:
            refused = RefusedAnswer("action", error.message)
        except ScreenChanged as error:
            refused = RefusedAnswer("changed", error.message)
        except Controlled as error:
            refused = RefusedAnswer("controlled", error.message)
        except DeadlineExceeded as error:
            refused = RefusedAnswer("broken_off", error.message)
        except Unavailable as error:
            refused = RefusedAnswer("late", error.message)
        except DesktopGone as error:
            self._ending.because("Its display is gone.")
            refused = RefusedAnswer("gone", error.message)
        except Exception:  # noqa: BLE001 - a display may send any error, and others go on with it
            refused = RefusedAnswer("broken_off", _FAILED)
        return (frame(refused),)

    async def _act(self, asked: ActRequest) -> tuple[Done, int]:
        """Do it, if that is allowed: with the version of the screen that it leaves."""
        work = partial(self._hands.act, asked.action, asked.run_id)
        if isinstance(asked.action, LOOKS):
            return await self._gate.look(work)
        return await self._gate.act(work, asked.seen)

    async def _done(self, request: Request) -> Sequence[bytes]:
        answer: Answer = GrantedAnswer()
        match request:
            case ActRequest():
                done, version = await self._act(request)
                return _told(done, version, self._hands.held)
            case KeepRequest(secrets, run_id):
                self._hands.keep(secrets, run_id)
            case LookRequest():
                shot = await self._eyes.look()
                return frame(LookAnswer(_head(shot))), shot.png
            case TakeRequest(holder, seconds):
                answer = ControlAnswer(await self._gate.take(holder, seconds))
            case HandBackRequest(holder):
                answer = ControlAnswer(self._gate.hand_back(holder))
            case _:
                answer = await self._asked(request)
        return (frame(answer),)

    async def _asked(self, request: Request) -> Answer:
        """The rest of what agents want."""
        match request:
            case UnchangedRequest(digest, still):
                asked = partial(self._hands.is_unchanged, digest, still)
                same, _ = await self._gate.look(asked)
                return UnchangedAnswer(same)
            case CheckRequest(actions, run_id, seen):
                refused = await asyncio.to_thread(self._hands.refused, actions, run_id)
                if refused is None:
                    self._gate.require_seen(seen)
                return CheckedAnswer(refused)
            case HeldRequest():
                return HeldAnswer(self._hands.held_by)
            case LetGoRequest(run_id):
                holds = partial(self._hands.holds_for, run_id)
                await self._gate.act_if(holds, self._hands.release)
                return GrantedAnswer()
            case PingRequest():
                return GrantedAnswer()
            case _:
                raise ValueError(request)


def _told(done: Done, version: int, held: frozenset[Button]) -> Sequence[bytes]:
    answer = DoneAnswer(
        before=_head(done.before),
        after=_head(done.after),
        seconds=done.seconds,
        version=version,
        held=held,
        picture=None if done.picture is None else _head(done.picture),
        pointer=done.pointer,
        digest=done.digest,
    )
    more = () if done.picture is None else (done.picture.png,)
    return frame(answer), done.before.png, done.after.png, *more


def _head(shot: Shot) -> PictureHead:
    return PictureHead(len(shot.png), shot.width, shot.height, shot.pointer)
