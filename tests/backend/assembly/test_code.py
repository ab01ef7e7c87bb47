"""Programs run in the best sandbox that there is, or nowhere."""

from pathlib import Path

import pytest

from cartrita.adapters.sandbox.programs import SandboxedPrograms
from cartrita.assembly import code as module
from cartrita.assembly.code import Sandbox, open_sandbox
from cartrita.domain.code import Isolation
from cartrita.settings import Settings
from cartrita.settings.code import Code

FULL = Isolation(available=True)
PARTIAL = Isolation(available=True, missing=("disk",))
NONE = Isolation(available=False, reason="x")


@pytest.mark.parametrize(
    ("accepted", "complete", "partial", "told"),
    [
        (False, FULL, PARTIAL, "full"),
        (True, FULL, PARTIAL, "full"),
        (False, NONE, PARTIAL, "none: x"),
        (True, NONE, PARTIAL, "partial, without disk"),
        (True, NONE, NONE, "none: x"),
    ],
)
async def test_the_best_that_is_accepted(
    accepted: bool,
    complete: Isolation,
    partial: Isolation,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = (tmp_path,)

    async def probe(programs: SandboxedPrograms, *, namespaces: bool) -> Isolation:
        assert programs.hidden == hidden
        return complete if namespaces else partial

    monkeypatch.setattr(module, "probe", probe)
    settings = Settings(data_dir=tmp_path, code=Code(enabled=True, partial=accepted))
    sandbox = await open_sandbox(settings)
    assert sandbox.told == told
    assert (sandbox.runner is None) is told.startswith("none")


async def test_without_the_setting_there_is_none(tmp_path: Path) -> None:
    assert await open_sandbox(Settings(data_dir=tmp_path)) == Sandbox(None, None)
