"""A stream is the same however its bytes are split, and however its lines end."""

import pytest
from tests.typescript.package import Programs

pytestmark = pytest.mark.slow

_SIZES = [1, 2, 3, 5, 7, 64, 100_000]
_TEXT = "Grüße 🌊🙂 안녕\nend"


def test_every_split_tells_the_same(programs: Programs) -> None:
    told = programs.run("splits", sizes=_SIZES)
    assert len(told) == 3 * len(_SIZES)
    for each in told:
        assert each["events"] == ["stream_start", *["token"] * 5, "queued", "done"], each["size"]
        assert each["contents"][1:6] == ["Grüße", "Grüße 🌊🙂", _TEXT[:-4], _TEXT[:-3], _TEXT]
        assert each["text"] == _TEXT
        assert each["last"] == "run_1.8"
