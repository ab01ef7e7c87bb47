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
from cartrita.domain.desktop import Shot, Wait

pytestmark = pytest.mark.slow
_ENTRIES = {name: number for number, name in enumerate(APPS, 1)}
_WINDOW = 150
"""In pixels: what changes over more than this is no caret."""
_WATCHDOG_S = 60.0


async def test_a_task_of_twenty_steps_leaves_its_files(desktop: RunningDesktop) -> None:
    steps = desktop_task.steps(terminal=_ENTRIES["Terminal"], editor=_ENTRIES["Editor"])
    assert len(steps) == 20
    for step in steps:
        before = (await desktop.act(step.actions[0])).before
        for action in step.actions[1:]:
            await desktop.act(action)
        if step.opens:
            await _opened(desktop, before)
    copy = desktop_programs.home() / desktop_task.COPY
    await asyncio.to_thread(eventually, "the copy is there", copy.exists)
    assert copy.read_text() == desktop_task.SAVED


async def _opened(desktop: RunningDesktop, before: Shot) -> None:
    """Wait until something larger than a caret is another than before, and stays so."""
    deadline = time.monotonic() + _WATCHDOG_S
    seen = before
    while time.monotonic() < deadline:
        now = (await desktop.act(Wait(0.1))).after
        if _large(before, now) and not _large(seen, now):
            return
        seen = now
    raise AssertionError("no window has come")


def _large(one: Shot, other: Shot) -> bool:
    box = ImageChops.difference(_image(one), _image(other)).getbbox()
    return box is not None and box[2] - box[0] > _WINDOW and box[3] - box[1] > _WINDOW


def _image(shot: Shot) -> Image.Image:
    with Image.open(io.BytesIO(shot.png)) as picture:
        return picture.convert("RGB")
