"""Files are sent with their progress told, in one piece or several, and may be given up."""

import hashlib
from pathlib import Path

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.typescript.package import Programs

pytestmark = pytest.mark.slow

_SIZE = 3_000_000
_CONTENT = b"0123456789" * (_SIZE // 10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a name with é.txt"
    path.write_bytes(_CONTENT)
    return path


@pytest.mark.parametrize("counted", [True, False])
async def test_a_file(counted: bool, scenario: Scenario, programs: Programs, file: Path) -> None:
    [told] = programs.run(
        "uploads",
        base=scenario.server.base,
        key=KEY,
        file=str(file),
        name=file.name,
        counted=counted,
    )
    kept = told["kept"]
    assert (kept["filename"], kept["size"]) == (file.name, _SIZE)
    assert kept["checksum"] == hashlib.sha256(_CONTENT).hexdigest()
    assert kept["conversation_id"] == told["conversation"]
    assert told["content"] == _SIZE
    if counted:
        sent = [each["sent"] for each in told["progress"]]
        assert len(sent) > 5
        assert sent == sorted(sent)
        assert sent[-1] == told["progress"][-1]["total"] > _SIZE


@pytest.mark.parametrize("counted", [True, False])
async def test_one_that_is_given_up(
    counted: bool, scenario: Scenario, programs: Programs, file: Path
) -> None:
    [told] = programs.run(
        "uploads",
        base=scenario.server.base,
        key=KEY,
        file=str(file),
        name=f"given up {counted}",
        counted=counted,
        abort=True,
    )
    assert told["error"]["name"] == "AbortError"
    _, page = await scenario.call("GET", "/api/files")
    assert all(each["filename"] != f"given up {counted}" for each in page["items"])


async def test_the_timeout_of_answers_does_not_bound_them(
    scenario: Scenario, programs: Programs, file: Path
) -> None:
    [told] = programs.run(
        "uploads",
        base=scenario.server.base,
        key=KEY,
        file=str(file),
        name=file.name,
        counted=True,
        slowly=True,
        options={"timeout": 200},
    )
    assert told["kept"]["size"] == _SIZE
    assert told["took"] > 200
