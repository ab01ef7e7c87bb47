"""The operator's own prices: none, good ones, and all that the server does not start with."""

from pathlib import Path

import pytest

from cartrita.assembly.prices import create_prices
from cartrita.cli.doctor.findings import Finding
from cartrita.cli.doctor.prices import examine_prices
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings, load

ROW = '[[prices]]\nprovider="p"\nmodel="m"\nchecked=2026-11-30\nsource="-"\noutput=1\n'


def settings_of(folder: Path, prices: str) -> Settings:
    return load({"CARTRITA_LEDGER_PRICES": prices}, folder)


def found(settings: Settings) -> Finding:
    (one,) = examine_prices(settings)
    assert one.name == "prices"
    return one


def test_none_are_named(tmp_path: Path) -> None:
    assert examine_prices(load({}, tmp_path)) == []


def test_prices_that_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(f"{ROW}input=1\n")
    assert found(settings_of(tmp_path, "own.toml")).status == "ok"


def refused(settings: Settings) -> str:
    """What the server says of them, which the doctor repeats."""
    one = found(settings)
    assert (one.status, "CARTRITA_LEDGER_PRICES" in one.fix) == ("problem", True)
    with pytest.raises(OperatorError) as raised:
        create_prices(settings)
    assert one.detail == str(raised.value)
    return one.detail


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"\xff\xfe\x00", "is no table of prices"),
        (b"[[prices]\nx", "is no table of prices"),
        (f"{ROW}input=nan\n".encode(), "input of [[prices]] row 1 is NaN: write US dollars"),
        (f"{ROW}input=-1\n".encode(), "input of [[prices]] row 1 is -1: write US dollars"),
        (f"{ROW}input=1\nbogus=1\n".encode(), "unknown field `bogus`"),
        (f'{ROW}input="0x1"\n'.encode(), "Invalid decimal string - at `$.prices[0].input`"),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, octets: bytes, words: str) -> None:
    (tmp_path / "own.toml").write_bytes(octets)
    assert words in refused(settings_of(tmp_path, "own.toml"))


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    assert "own.toml cannot be read: no such file" in refused(settings_of(tmp_path, "own.toml"))
    assert "cannot be read: is a directory" in refused(settings_of(tmp_path, "."))
