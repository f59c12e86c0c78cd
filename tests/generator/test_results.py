"""The folder of pictures."""

from pathlib import Path

import pytest

from generator import results
from generator.results import Results


def test_a_new_folder_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(results, "sync_folder", synced.append)
    Results(tmp_path / "new").prepare(set())
    assert synced == [tmp_path]
