"""Which device and which precision a model is computed with."""

from typing import Any

import pytest
import torch

from generator.engines import choice

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ((True, True), "cuda"),
        ((True, False), "cuda"),
        ((False, True), "mps"),
        ((False, False), "cpu"),
    ],
)
def test_auto_takes_the_fastest_device(
    there: tuple[bool, bool], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend(monkeypatch, cuda=there[0], mps=there[1])
    assert choice.choose("auto", small=False).device == chosen


@pytest.mark.parametrize(
    ("device", "capabilities", "small", "dtype"),
    [
        ("cpu", {"avx512_bf16": True}, False, torch.bfloat16),
        ("cpu", {"amx_bf16": True}, False, torch.bfloat16),
        ("cpu", {"avx512_bf16": True}, True, torch.float32),
        ("cpu", {"avx512_f": True, "avx512_bf16": False}, False, torch.float32),
        ("cpu", {}, False, torch.float32),
        ("cuda", {}, False, torch.float16),
        ("mps", {"avx512_bf16": True}, False, torch.float32),
    ],
)
def test_half_precision_is_taken_where_it_is_multiplied(
    device: str,
    capabilities: dict[str, Any],
    dtype: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
    *,
    small: bool,
) -> None:
    _pretend(monkeypatch, cuda=True, mps=True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choice.choose(device, small=small).dtype == dtype


@pytest.mark.parametrize(
    ("device", "capabilities", "half"),
    [
        ("cpu", {"avx512_bf16": True}, True),
        ("cpu", {}, False),
        ("auto", {"amx_bf16": True}, True),
        ("cuda", {"amx_bf16": True}, False),
    ],
)
def test_smaller_files_are_fetched_where_half_precision_is_kept(
    device: str,
    capabilities: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    half: bool,
) -> None:
    _pretend(monkeypatch, cuda=False, mps=False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choice.takes_half(device) is half


def _pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
