"""Attention of our own gives what PyTorch's does."""

import logging

import pytest
import torch
from torch.nn import functional

from generator.engines import attention

pytestmark = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="oneDNN computes no bfloat16 on this processor, so that this is never used there",
)

_TOLERANCE = 0.02
"""Deviation from full precision, by the results' own: bfloat16 has 8 bits."""


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many tokens that tests take no time are many."""
    monkeypatch.setattr(attention, "_FEWEST", 0)


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


def test_few_logits_are_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_FEWEST", 80 * 80 + 1)
    query, key, value = _inputs(80, 40, 1)
    plain = functional.scaled_dot_product_attention
    assert torch.equal(attention.attend(query, key, value), plain(query, key, value))
    # Many may read few words; those are no whole number of what products are fast with.
    query, key, value = _inputs(128, 40, 1)[0], key[:, :, :77], value[:, :, :77]
    assert not torch.equal(attention.attend(query, key, value), plain(query, key, value))
    assert _deviation(query, key, value) < _TOLERANCE


@pytest.mark.parametrize("answer", ["wrong", "refused"])
def test_it_is_not_used_where_its_product_does_not_serve(
    answer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(query: torch.Tensor, _key: torch.Tensor, _value: torch.Tensor) -> torch.Tensor:
        if answer == "wrong":
            return torch.zeros_like(query)
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(attention, "_attend", fail)
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
