"""Desktops of a test's own."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.harness.desktop_worker import spec

from cartrita.adapters.desktop.desktops import LocalDesktops, open_desktops
from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import DesktopId


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "desktops"


@pytest.fixture
async def desktops(folder: Path) -> AsyncIterator[LocalDesktops]:
    async with open_desktops(folder) as opened:
        assert opened.missing == ()
        yield opened


@pytest.fixture
def desktop_id() -> DesktopId:
    return DesktopId(uuid.uuid4())


@pytest.fixture
async def desktop(desktops: LocalDesktops, desktop_id: DesktopId) -> RunningDesktop:
    return await desktops.start(desktop_id, spec())
