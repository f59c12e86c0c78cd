"""How many threads compute."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from generator.engines import threads

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A control group `a/b` of this process under a root without limits."""
    own = tmp_path / "cgroup"
    own.write_text("4:memory:/elsewhere\n0::/a/b\n", encoding="ascii")
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(threads, "_OWN_CGROUP", own)
    monkeypatch.setattr(threads, "_CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    return tmp_path


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("100000 100000", 1), ("50000 100000", 1), ("110000 100000", 2), ("max 100000", 2), ("", 2)],
)
@pytest.mark.parametrize("group", ["", "a", "a/b"])
def test_a_quota_of_the_group_or_of_one_above_is_respected(
    quota: str, expected: int, group: str, cgroups: Path
) -> None:
    (cgroups / group / "cpu.max").write_text(quota, encoding="ascii")
    threads.limit(small=False)
    assert torch.get_num_threads() == expected


def test_the_cores_that_a_process_may_run_on_are_respected(
    cgroups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cgroups / "cpu.max").write_text("400000 100000", encoding="ascii")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3})
    threads.limit(small=False)
    assert torch.get_num_threads() == 1


def test_there_may_be_no_control_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_OWN_CGROUP", tmp_path / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2})
    threads.limit(small=False)
    assert torch.get_num_threads() == 2


def test_a_small_model_takes_one_thread() -> None:
    threads.limit(small=True)
    assert torch.get_num_threads() == 1
