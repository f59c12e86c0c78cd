"""The comparison of presets, on a tiny model."""

import re
import sys
from pathlib import Path

import pytest

from benchmarks import presets
from tests.generator import tiny

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]


@pytest.mark.long
def test_a_preset_is_like_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tiny.save(tmp_path / "tiny"))
    monkeypatch.setattr(
        sys, "argv", ["presets", "--model", model, "--seeds", "1", "--size", str(tiny.SIDE)]
    )
    presets.main()
    said = capsys.readouterr().out
    assert re.search(r"\| faithful \| .* \| 1\.0000 \(1\.0000\) \| inf \(inf\) \|", said)
    assert re.search(r"\| quick \| .* \| 0\.\d{4} \(0\.\d{4}\) \| [\d.]+ \([\d.]+\) \|", said)
