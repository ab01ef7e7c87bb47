"""A real X server with a window manager, and programs on it, for tests of what drives a desktop."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.harness.processes import ParentWatch
from Xlib import error
from Xlib.display import Display

from cartrita.domain.desktop import Area

_WATCHDOG_S = 180.0
_PAUSE_S = 0.02


class DisplayFailed(AssertionError):
    """The X server or a program did not do what it should; the message says what."""


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Return when it holds, which is for another process to bring about."""
    deadline = time.monotonic() + _WATCHDOG_S
    while not holds():
        if time.monotonic() > deadline:
            raise DisplayFailed(f"not in {_WATCHDOG_S:.0f} s: {what}")
        time.sleep(_PAUSE_S)


def keys_down(name: str) -> int:
    """How many keys and buttons of a display are down, as its X server tells."""
    with closing(Display(name)) as display:
        keys = sum(row.bit_count() for row in display.query_keymap())
        return keys + (display.screen().root.query_pointer().mask >> 8 & 31).bit_count()


class XDisplay:
    """Its programs have a home of their own, and end with it."""

    def __init__(self, options: Sequence[str] = (), *, size: str = "1280x800") -> None:
        self._options = options
        self._size = size
        self._started: list[tuple[subprocess.Popen[bytes], ParentWatch]] = []
        self.home = Path(tempfile.mkdtemp(prefix="cartrita-display-"))
        self.name = ""

    def __enter__(self) -> Self:
        try:
            self.name = f":{self._serve()}"
            self.start("openbox")
            eventually("openbox manages the windows", self._managed)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process, watch in reversed(self._started):
            if process.poll() is None and process is self.server:
                process.terminate()  # it removes its socket then
            else:
                process.kill()
            try:
                process.wait(_WATCHDOG_S)
            except subprocess.TimeoutExpired:  # a test has stopped it
                process.kill()
                process.wait()
            watch.release()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def server(self) -> subprocess.Popen[bytes]:
        """The X server."""
        return self._started[0][0]

    @property
    def manager(self) -> subprocess.Popen[bytes]:
        """The window manager."""
        return self._started[1][0]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program."""
        return self._run(*command, DISPLAY=self.name)

    def open(self, title: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program, and return when its window has the keyboard."""
        process = self.start(*command)
        eventually(f"{command[0]} has the keyboard", lambda: title in self.focused())
        return process

    def focused(self) -> str:
        """The title of the window that has the keyboard; empty if there is none."""
        with self._focused() as window:
            return "" if window is None else str(window.get_wm_name())

    def area(self) -> Area:
        """Where the window is that has the keyboard, without its frame."""
        with self._focused() as window:
            if window is None:
                raise DisplayFailed("no window has the keyboard")
            size = window.get_geometry()
            at = window.translate_coords(size.root, 0, 0)  # how far the root is from its corner
            return Area(-at.x, -at.y, size.width - at.x, size.height - at.y)

    def keys_down(self) -> int:
        """How many keys and buttons are down."""
        return keys_down(self.name)

    def repeats(self) -> int:
        """Whether keys repeat themselves: 1 or 0."""
        with closing(Display(self.name)) as display:
            return display.get_keyboard_control().global_auto_repeat

    @contextmanager
    def _focused(self) -> Generator[Any]:
        with closing(Display(self.name)) as display:
            window: Any = display.get_input_focus().focus
            root = display.screen().root.id
            try:
                while not isinstance(window, int) and not window.get_wm_name():
                    window = None if window.id == root else window.query_tree().parent
            except (error.XError, AttributeError):  # it was closed meanwhile
                window = None
            yield None if isinstance(window, int) else window

    def _managed(self) -> bool:
        with closing(Display(self.name)) as display:
            name = display.get_atom("_NET_SUPPORTING_WM_CHECK")
            return display.screen().root.get_full_property(name, 0) is not None

    def _serve(self) -> int:
        reader, writer = os.pipe()
        screen = ("-screen", "0", f"{self._size}x24", "-nolisten", "tcp", "-noreset")
        try:
            self._run(
                "Xvfb", "-displayfd", str(writer), *screen, *self._options, descriptors=(writer,)
            )
        finally:
            os.close(writer)
        with os.fdopen(reader) as numbers:
            number = numbers.readline()
        if not number:
            raise DisplayFailed("Xvfb ended before it had a display")
        return int(number)

    def _run(
        self, *command: str, descriptors: tuple[int, ...] = (), **more: str
    ) -> subprocess.Popen[bytes]:
        home = str(self.home)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "LANG": "C.UTF-8",
            "GTK_OVERLAY_SCROLLING": "0",
            "NO_AT_BRIDGE": "1",
            **more,
        }
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
            )
        self._started.append((process, ParentWatch(process.pid)))
        return process
