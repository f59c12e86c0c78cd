"""Attention of our own gives what PyTorch's does."""

import copy
import logging

import pytest
import torch
from torch.nn import functional

from generator.engines import attention
from tests.generator import tiny

pytestmark = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="oneDNN computes no bfloat16 on this processor, so that this is never used there",
)

_TOLERANCE = 0.02
"""Deviation from full precision, by the results' own: bfloat16 has 8 bits."""


def _inputs(tokens: int, features: int, spread: float) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn((2, tokens, 3 * features), generator=generator) for _ in range(3)]
    scaled = [drawn[0] * spread, drawn[1] * spread + 3, drawn[2]]
    return [rows.bfloat16().view(2, tokens, 3, features).transpose(1, 2) for rows in scaled]


def _deviation(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> float:
    exact = functional.scaled_dot_product_attention(query.float(), key.float(), value.float())
    return float((attention.attend(query, key, value).float() - exact).std() / exact.std())


@pytest.mark.parametrize(("tokens", "features"), [(520, 40), (64, 80), (1000, 7)])
@pytest.mark.parametrize("spread", [0.1, 1, 2, 10])
def test_it_is_softmax_attention(tokens: int, features: int, spread: float) -> None:
    assert _deviation(*_inputs(tokens, features, spread)) < _TOLERANCE


@pytest.mark.parametrize("row", [0, 5])
def test_a_row_of_logits_far_under_its_bound_is_left_to_pytorch(row: int) -> None:
    query, key, value = _inputs(128, 40, 1)
    # A query against the longest key: its logits are far below the product of the lengths.
    query[:, :, row] = -40 * key[:, :, 0]
    key[:, :, 0] *= 40
    exact = functional.scaled_dot_product_attention(query, key, value)
    assert torch.equal(attention.attend(query, key, value), exact)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """The shapes of the queries that it is called with, as they come."""
    seen: list[torch.Size] = []
    attend = attention.attend

    def watch(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        seen.append(query.shape)
        return attend(query, key, value)

    monkeypatch.setattr(attention, "attend", watch)
    return seen


def test_a_unet_uses_it_for_many_cells_alone(calls: list[torch.Size]) -> None:
    torch.manual_seed(0)
    unet = tiny.build().unet.bfloat16()
    own = copy.deepcopy(unet)
    attention.install(own)
    generator = torch.Generator().manual_seed(1)
    text = torch.randn((2, tiny.TOKENS, 16), generator=generator).bfloat16()
    for side, tokens in ((8, set()), (48, {48 * 48})):
        latents = torch.randn((2, 4, side, side), generator=generator).bfloat16()
        calls.clear()
        with torch.no_grad():
            found, wanted = (
                one(latents, torch.tensor(500), text).sample.float() for one in (own, unet)
            )
        assert {shape[2] for shape in calls} == tokens
        assert float((found - wanted).abs().max()) <= 0.05 * float(wanted.abs().max())


def test_rows_that_come_twice_are_computed_once(calls: list[torch.Size]) -> None:
    torch.manual_seed(0)
    unet = tiny.build().unet.bfloat16()
    attention.install(unet)
    generator = torch.Generator().manual_seed(1)
    words = torch.randn((2, tiny.TOKENS, 16), generator=generator).bfloat16()
    latents = torch.randn((1, 4, 48, 48), generator=generator).bfloat16()
    with torch.no_grad():
        both = unet(torch.cat([latents, latents]), torch.tensor(500), words).sample
        batches = [shape[0] for shape in calls]
        assert batches[0] == 1
        assert 2 in batches  # once words were read, rows differ
        for row in (0, 1):
            alone = unet(latents, torch.tensor(500), words[row, None]).sample
            assert float((both[row] - alone[0]).abs().max()) <= 0.05 * float(alone.abs().max())


@pytest.mark.parametrize("answer", ["wrong", "refused"])
def test_it_is_not_used_where_its_product_does_not_serve(
    answer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(query: torch.Tensor, _key: torch.Tensor, _value: torch.Tensor) -> torch.Tensor:
        if answer == "wrong":
            return torch.zeros_like(query)
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(attention, "attend", fail)
    with caplog.at_level(logging.INFO, logger=attention.__name__):
        assert not attention.pays()
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("capabilities", "pays"),
    [
        ({"avx512_bf16": True}, True),
        ({"avx512_bf16": True, "amx_bf16": True}, False),
        ({}, False),
    ],
)
def test_it_is_for_processors_that_it_was_measured_on(
    capabilities: dict[str, bool],
    monkeypatch: pytest.MonkeyPatch,
    *,
    pays: bool,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert attention.pays() is pays
