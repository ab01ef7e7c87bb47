"""The desktops of this machine: implements `Desktops`."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from cartrita.adapters.desktop import folders, remnants, users
from cartrita.adapters.desktop.host.enclosures import AUTHORITY
from cartrita.adapters.desktop.host.namespaces import X_DIRECTORY
from cartrita.adapters.desktop.keeping import LONGEST_LINE, Keeping, read_line
from cartrita.adapters.desktop.orders import FOLDER_SIGN, HostOrder, HostReady
from cartrita.adapters.desktop.programs import missing_apps, missing_lines, missing_menu
from cartrita.adapters.desktop.running import ANSWER_S, RunningDesktop
from cartrita.adapters.processes.children import started
from cartrita.domain.desktop import DesktopId, DesktopIsolation, DesktopSpec
from cartrita.domain.desktop_errors import DesktopGone
from cartrita.domain.errors import Unavailable

_MODULE: Final = "cartrita.adapters.desktop.host.main"
_PROBE: Final = "cartrita.adapters.desktop.host.probe"
_MARGIN_S: Final = 10.0
"""A host tells itself that it takes too long to start, unless it hangs."""


class LocalDesktops:
    """Starts a host for each desktop, which ends with this process. See `open_desktops`."""

    def __init__(
        self,
        folder: Path,
        tasks: asyncio.TaskGroup,
        *,
        isolation: DesktopIsolation | None,
        missing: Sequence[str],
        container_command: Sequence[str],
        hidden: Sequence[Path],
        answer_s: float = ANSWER_S,
    ) -> None:
        self._folder = folder
        self._tasks = tasks
        self._isolation = isolation
        self._missing = tuple(missing)
        self._container_command = tuple(container_command)
        self._hidden = tuple(str(path.resolve()) for path in hidden)
        self._answer_s = answer_s
        self._keeping: dict[DesktopId, Keeping] = {}

    @property
    def isolation(self) -> DesktopIsolation | None:
        """See `Desktops.isolation`."""
        return self._isolation

    @property
    def missing(self) -> Sequence[str]:
        """See `Desktops.missing`."""
        return self._missing

    @contextmanager
    def announced(self, desktop_id: DesktopId) -> Generator[None]:
        """See `Desktops.announced`."""
        with ExitStack() as announced:
            try:
                announced.enter_context(folders.announced(self._folder / desktop_id.hex))
            except OSError as error:
                raise _unavailable(
                    f"The desktop cannot be started here: {error.strerror}."
                ) from None
            yield

    async def is_begun(self, desktop_id: DesktopId) -> bool:
        """See `Desktops.is_begun`."""
        try:
            return await asyncio.to_thread(folders.is_begun, self._folder / desktop_id.hex)
        except OSError:
            return True

    async def start(self, desktop_id: DesktopId, spec: DesktopSpec) -> RunningDesktop:
        """See `Desktops.start`."""
        order = await asyncio.to_thread(self._order, desktop_id, spec)
        await asyncio.to_thread(folders.make, Path(order.folder))
        reports = order.isolation is DesktopIsolation.CONTAINER
        keeping = Keeping(Path(order.folder), reports=reports)
        self._keeping[desktop_id] = keeping
        running = keeping.run(
            self._command(order), _environment(order), spec.start_timeout_s + _MARGIN_S
        )
        task = self._tasks.create_task(running)
        task.add_done_callback(lambda _: self._forget(desktop_id, keeping))
        try:
            reason = await keeping.started()
        except BaseException:
            await keeping.end()
            raise
        if reason is not None:
            await keeping.end()
            raise _unavailable(f"The desktop was not started. {reason}")
        return self.of(desktop_id)

    async def find(self, desktop_id: DesktopId) -> RunningDesktop | None:
        """See `Desktops.find`."""
        desktop = self.of(desktop_id)
        return desktop if await desktop.answers() else None

    def of(self, desktop_id: DesktopId) -> RunningDesktop:
        """See `Desktops.of`."""
        return RunningDesktop(self._folder / desktop_id.hex, self._answer_s)

    async def is_dead(self, desktop_id: DesktopId) -> bool:
        """See `Desktops.is_dead`."""
        return await self.of(desktop_id).is_dead()

    async def all_running(self) -> Sequence[DesktopId]:
        """See `Desktops.all_running`."""
        names = await asyncio.to_thread(folders.names, self._folder)
        return [DesktopId(UUID(hex=name)) for name in names]

    async def stop(self, desktop_id: DesktopId) -> None:
        """See `Desktops.stop`."""
        folder = self._folder / desktop_id.hex
        with suppress(DesktopGone, Unavailable):  # one that cannot be asked now is lost, and found
            await self.of(desktop_id).stop()
        if (keeping := self._keeping.get(desktop_id)) is not None:
            await keeping.end()
        else:
            await asyncio.to_thread(folders.remove_if_dead, folder)

    def end(self) -> None:
        """End all that this process has started; its tasks end when that is done."""
        for keeping in self._keeping.values():
            keeping.dismiss()

    def _forget(self, desktop_id: DesktopId, keeping: Keeping) -> None:
        self._keeping.pop(desktop_id, None)
        keeping.over()

    def _order(self, desktop_id: DesktopId, spec: DesktopSpec) -> HostOrder:
        """What its host is told. Raises Unavailable for what cannot be started here."""
        isolation = spec.isolation or self._isolation
        if isolation is None or self._missing:
            raise _unavailable(f"Desktops cannot be started here: {'; '.join(self._missing)}.")
        if isolation is not DesktopIsolation.CONTAINER:
            for sentence in missing_apps(spec.apps):
                raise _unavailable(sentence)
        by_root = os.geteuid() == 0 or isolation is DesktopIsolation.CONTAINER
        return HostOrder(
            folder=str(self._folder / desktop_id.hex),
            spec=spec,
            isolation=isolation,
            user_id=users.unused() if by_root else None,
            hidden=self._hidden,
        )

    def _command(self, order: HostOrder) -> Sequence[str]:
        told = ("-I", "-m", _MODULE, msgspec.json.encode(order).decode())
        if order.isolation is not DesktopIsolation.CONTAINER:
            return sys.executable, *told
        words = (word.replace(FOLDER_SIGN, order.folder) for word in self._container_command)
        first, *options = words
        runner = shutil.which(first) or first, *options
        variables = (f"{name}={value}" for name, value in _environment(order).items())
        return *runner, "env", *variables, "python3", *told


@asynccontextmanager
async def open_desktops(
    folder: Path,
    *,
    isolation: DesktopIsolation | None = None,
    container_command: Sequence[str] = (),
    hidden: Sequence[Path] = (),
    answer_s: float = ANSWER_S,
    apps: Mapping[str, Sequence[str]] | None = None,
) -> AsyncGenerator[LocalDesktops]:
    """Those of this machine, whose folders are in `folder`; what dead ones left is removed.

    Without an `isolation`, it is bubblewrap's where that works. `container_command` is what runs a
    container in which our host finds its packages, as root; "{folder}" in it is replaced by the
    folder of the desktop, the only one that it is to see, under the same name. The menus are to
    have these `apps`, where they are told. At the end, all that were started here are ended.
    """
    await asyncio.to_thread(folders.remove_dead, folder)
    chosen = isolation or DesktopIsolation.BUBBLEWRAP
    missing = await missing_here(folder, chosen, container_command, apps)
    async with asyncio.TaskGroup() as tasks:
        desktops = LocalDesktops(
            folder,
            tasks,
            isolation=None if missing else chosen,
            missing=missing,
            container_command=container_command,
            hidden=hidden,
            answer_s=answer_s,
        )
        try:
            yield desktops
        finally:
            desktops.end()


async def missing_here(
    folder: Path,
    isolation: DesktopIsolation,
    container_command: Sequence[str],
    apps: Mapping[str, Sequence[str]] | None,
) -> Sequence[str]:
    """What this machine lacks for desktops of this isolation, in lines that install it."""
    missing = missing_lines(isolation, container_command)
    if apps is not None and isolation is not DesktopIsolation.CONTAINER:
        missing = (*missing, *missing_menu(apps))
    if isolation is DesktopIsolation.BUBBLEWRAP and not missing:
        return await probed(folder)
    return missing


async def probed(folder: Path) -> Sequence[str]:
    """Nothing if bubblewrap works here, found out by shutting in a program; else what to do."""
    async with started(_PROBE, str(folder), stdin=DEVNULL, line_bytes=LONGEST_LINE) as process:
        assert process.stdout is not None
        line = await read_line(process.stdout)
    if isinstance(line, HostReady):
        return ()
    reason = line.reason if line is not None else "it was killed"
    return (
        f"bubblewrap cannot shut in programs here ({reason}): allow user namespaces, or set "
        "CARTRITA_DESKTOP_ISOLATION to container, or to plain.",
    )


def _environment(order: HostOrder) -> Mapping[str, str]:
    """Where X clients of the host find the cookie of the display."""
    walled = order.isolation is DesktopIsolation.BUBBLEWRAP
    directory = X_DIRECTORY if walled else remnants.place(Path(order.folder).name)
    return {"XAUTHORITY": str(directory / AUTHORITY)}


def _unavailable(message: str) -> Unavailable:
    return Unavailable(message, code="desktop_unavailable")
