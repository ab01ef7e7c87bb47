"""`cartrita contract` writes what is generated, and tells what has changed since another one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.laws.tree import ROOT

from cartrita.cli.commands.contract import _read, generated_files
from cartrita.cli.main import main

Spoil = Callable[[dict[str, Any]], None]


@pytest.fixture(autouse=True)
def logs_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sets up the logs of its process, which is that of other tests here."""

    def leave(*_: object, **__: object) -> None:
        """As they are."""

    monkeypatch.setattr("cartrita.logs.configure", leave)


@pytest.fixture
def now(tmp_path: Path) -> Path:
    """A folder with the contract as it is."""
    for name in ("openapi.json", "asyncapi.json"):
        (tmp_path / name).write_bytes(generated_files()[f"frontend-contract/{name}"])
    return tmp_path


def changed(folder: Path, change: Spoil) -> Path:
    document = json.loads((folder / "openapi.json").read_text())
    change(document)
    (folder / "openapi.json").write_text(json.dumps(document))
    return folder


def without_code(document: dict[str, Any]) -> None:
    del document["paths"]["/api/code"]


def with_shout(document: dict[str, Any]) -> None:
    shout = {**document["paths"]["/api/code"]["post"], "operationId": "post_shout"}
    document["paths"]["/api/shout"] = {"post": shout}


def test_all_that_is_generated_is_written(tmp_path: Path) -> None:
    main(["contract", "--into", str(tmp_path)])
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == generated_files().keys()


def test_nothing_has_changed_since_now(now: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["contract", "--since", str(now)])
    assert capsys.readouterr().out == f"0 changes since {now}, 0 of them break clients.\n"


def test_what_is_new_breaks_nobody(now: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["contract", "--since", str(changed(now, without_code))])
    out = capsys.readouterr().out
    assert "new       post_code: is new\n" in out
    assert "BREAKING" not in out


def test_what_is_gone_breaks_clients(now: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["contract", "--since", str(changed(now, with_shout))])
    assert exit_.value.code == 1
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "BREAKING  post_shout: is gone",
        f"1 changes since {now}, 1 of them break clients.",
    ]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"openapi": "3.1.0", "paths": {}}'])
def test_what_is_no_contract_is_refused(
    now: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (now / "openapi.json").write_text(content)
    with pytest.raises(SystemExit) as exit_:
        main(["contract", "--since", str(now)])
    assert exit_.value.code == 1
    assert "no contract that can be compared" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["contract", "--since", str(tmp_path / "nowhere")])
    assert exit_.value.code == 1
    assert "nowhere" in capsys.readouterr().err


def test_the_contract_of_the_last_release_can_be_compared() -> None:
    released = _read(ROOT / "frontend-contract" / "released")
    assert len(released.operations) > 80
