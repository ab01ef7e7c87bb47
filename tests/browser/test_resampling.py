"""What the microphone hears keeps what is speech at another rate, and nothing folds into it."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.laws.tree import ROOT
from tests.typescript.package import PACKAGE, built

pytestmark = pytest.mark.slow

SOURCE = ROOT / "frontend-contract" / "console" / "src" / "voice" / "resampling.ts"
PROGRAM = Path(__file__).parent / "resampling" / "program.mjs"
RATES = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000]
_KEPT_HZ = 6_000
_FOLDED_HZ = 9_000
_REACH_S = 0.01


def test_speech_is_kept_and_what_would_fold_is_not(tmp_path: Path) -> None:
    node = built()
    tsc = PACKAGE / "node_modules" / "typescript" / "bin" / "tsc"
    how = ["--target", "es2022", "--module", "es2022", "--lib", "es2022,dom", "--strict"]
    compiled = subprocess.run(
        [node, str(tsc), *how, "--outDir", str(tmp_path), str(SOURCE)],
        capture_output=True,
        text=True,
    )
    assert compiled.returncode == 0, compiled.stdout
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / PROGRAM.name).write_text(PROGRAM.read_text())
    ran = subprocess.run(
        [node, str(tmp_path / PROGRAM.name), json.dumps(RATES)],
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [each["rate"] for each in told] == RATES
    for each in told:
        assert each["alike"], "the pieces in which it comes change it"
        assert 8_000 - _REACH_S * 16_000 < each["samples"] <= 8_000
        for frequency, loudness in each["heard"].items():
            if int(frequency) <= min(_KEPT_HZ, 0.4 * each["rate"]):
                assert loudness == pytest.approx(1, abs=0.02), (each["rate"], frequency)
            elif int(frequency) >= _FOLDED_HZ:
                assert loudness < 0.01, (each["rate"], frequency)
