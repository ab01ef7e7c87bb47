"""The input of a run, as it is stored: what an older version of this server must not execute."""

import msgspec
import pytest

from cartrita.domain.runs import RUN_INPUT_VERSION, RunInput

STORED = b'{"agent":"a","provider":"p","model":"m"}'
INPUT = RunInput(agent="a", provider="p", model="m")


def test_the_first_version_is_not_stored() -> None:
    assert msgspec.json.encode(INPUT) == STORED
    assert msgspec.json.decode(STORED, type=RunInput) == INPUT
    assert INPUT.version == 1


@pytest.mark.parametrize("version", [0, RUN_INPUT_VERSION + 1])
def test_an_unknown_version_is_refused(version: int) -> None:
    stored = {"agent": "a", "provider": "p", "model": "m", "version": version, "tools": []}
    with pytest.raises(msgspec.ValidationError, match="version"):
        msgspec.json.decode(msgspec.json.encode(stored), type=RunInput)
    known = msgspec.json.encode(stored | {"version": RUN_INPUT_VERSION})
    assert msgspec.json.decode(known, type=RunInput).version == RUN_INPUT_VERSION


def test_the_allowed_tools_are_stored_under_the_name_that_they_had_first() -> None:
    limited = RunInput(agent="a", provider="p", model="m", allowed_tools=("calculator",))
    assert msgspec.json.decode(msgspec.json.encode(limited))["own_tools"] == ["calculator"]
    assert msgspec.json.decode(msgspec.json.encode(limited), type=RunInput) == limited
