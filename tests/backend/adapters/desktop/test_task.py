"""A task in twenty steps, whose files are really on the disk of the desktop."""

import asyncio
import io
import time

import pytest
from PIL import Image, ImageChops
from tests.harness import desktop_programs, desktop_task
from tests.harness.desktop_worker import APPS
from tests.harness.x_display import eventually

from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import Key, Shot

pytestmark = pytest.mark.slow
_ENTRIES = {name: number for number, name in enumerate(APPS, 1)}
_WINDOW = 50
"""In pixels: what changes over more than this is no caret."""
_NOTHING = Key(("shift",))
"""It changes nothing, and is over when the program has read it after all that came before."""
_WATCHDOG_S = 60.0


async def test_a_task_of_twenty_steps_leaves_its_files(desktop: RunningDesktop) -> None:
    steps = desktop_task.steps(terminal=_ENTRIES["Terminal"], editor=_ENTRIES["Editor"])
    assert len(steps) == 20
    for step in steps:
        before = await _still(desktop) if step.opens else None
        for action in step.actions:
            await desktop.act(action)
        if before is not None:
            await _still(desktop, unlike=before)
    copy = desktop_programs.home() / desktop_task.COPY
    await asyncio.to_thread(eventually, "the copy is there", copy.exists)
    assert copy.read_text() == desktop_task.SAVED


async def _still(desktop: RunningDesktop, *, unlike: Shot | None = None) -> Shot:
    """The screen when only carets change on it, and when it is another than that one."""
    deadline = time.monotonic() + _WATCHDOG_S
    while time.monotonic() < deadline:
        looks = [(await desktop.act(_NOTHING)).after for _ in range(3)]
        if unlike is not None and not _large(unlike, looks[0]):
            continue
        if not _large(looks[0], looks[1]) and not _large(looks[1], looks[2]):
            return looks[2]
    raise AssertionError("the screen does not stand still, or is as it was")


def _large(one: Shot, other: Shot) -> bool:
    box = ImageChops.difference(_image(one), _image(other)).getbbox()
    return box is not None and box[2] - box[0] > _WINDOW and box[3] - box[1] > _WINDOW


def _image(shot: Shot) -> Image.Image:
    with Image.open(io.BytesIO(shot.png)) as picture:
        return picture.convert("RGB")
