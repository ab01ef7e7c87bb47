"""A task in twenty steps, whose files are really on the disk of the desktop."""

import asyncio

import pytest
from tests.harness import desktop_programs, desktop_task
from tests.harness.desktop_pictures import Openings
from tests.harness.desktop_worker import APPS
from tests.harness.x_display import eventually

from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import Key

pytestmark = pytest.mark.slow
_ENTRIES = {name: number for number, name in enumerate(APPS, 1)}
_NOTHING = Key(("shift",))
"""It changes nothing, and is over when the program has read it after all that came before."""


async def test_a_task_of_twenty_steps_leaves_its_files(desktop: RunningDesktop) -> None:
    steps = desktop_task.steps(terminal=_ENTRIES["Terminal"], editor=_ENTRIES["Editor"])
    assert len(steps) == 20

    async def look() -> bytes:
        return (await desktop.act(_NOTHING)).after.png

    openings = Openings(look)
    for step in steps:
        before = await look()
        for action in step.actions:
            await desktop.act(action)
        await openings.opened(step.opens, before)
    copy = desktop_programs.home() / desktop_task.COPY
    await asyncio.to_thread(eventually, "the copy is there", copy.exists)
    assert copy.read_text() == desktop_task.SAVED
