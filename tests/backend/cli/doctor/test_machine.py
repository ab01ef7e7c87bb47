"""What a machine has for desktops, programs and voice, and the line that installs the rest."""

from pathlib import Path

import pytest

from cartrita.cli.doctor.findings import Finding
from cartrita.cli.doctor.machine import examine_machine
from cartrita.settings import load


async def examined(tmp_path: Path, **environ: str) -> dict[str, Finding]:
    settings = load({"CARTRITA_DATA_DIR": str(tmp_path), **environ}, tmp_path)
    return {one.name: one for one in await examine_machine(settings)}


async def test_what_is_off_is_not_missed(tmp_path: Path) -> None:
    found = await examined(tmp_path, CARTRITA_CODE_ENABLED="0")
    assert found["sandbox"].status == "ok"
    assert found["desktops"].status == "ok"
    assert set(found) == {"sandbox", "desktops", "voice in", "voice out"}


async def test_desktops_that_lack_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await examined(tmp_path, CARTRITA_DESKTOP_ENABLED="1", CARTRITA_CODE_ENABLED="0")
    assert found["desktops"].status == "problem"
    assert "apt-get install -y" in found["desktops"].fix


async def test_a_voice_without_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await examined(tmp_path, CARTRITA_CODE_ENABLED="0")
    assert found["voice out"].status == "warning"
    assert found["voice out"].fix
    keyed = await examined(tmp_path, CARTRITA_CODE_ENABLED="0", DEEPGRAM_API_KEY="0123456789")
    assert keyed["voice out"].status == "ok"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("full", "ok"),
        ("partial, without a network of its own", "warning"),
        ("none: no namespaces", "problem"),
    ],
)
async def test_how_programs_are_shut_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, status: str
) -> None:
    from cartrita.assembly.code import Sandbox

    async def opened(_: object) -> Sandbox:
        return Sandbox(told=told)

    monkeypatch.setattr("cartrita.cli.doctor.machine.open_sandbox", opened)
    assert (await examined(tmp_path))["sandbox"].status == status
