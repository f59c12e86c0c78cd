"""Attention of our own gives what PyTorch's does."""

import logging

import pytest
import torch
from torch.nn import functional

from generator.engines import attention, flash, machine_code

pytestmark = pytest.mark.slow

_SERVES = bool(torch.cpu.get_capabilities().get("avx512_bf16"))

computes = pytest.mark.skipif(
    not _SERVES, reason="this processor has no AVX512-BF16, so that this is never used there"
)

_TOLERANCE = 0.004
"""Deviation from full precision, by the results' own: bfloat16 has 8 bits."""

_Matrices = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _inputs(tokens: int, others: int, features: int, spread: float = 1) -> _Matrices:
    """As layers hand them on: heads side by side."""
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn((2, count, 3 * features), generator=generator)
        for count in (tokens, others, others)
    )
    query, key, value = (
        rows.bfloat16().view(2, -1, 3, features).transpose(1, 2)
        for rows in (query * spread, key * spread + 3, value)
    )
    return query, key, value


def _deviation(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> float:
    exact = functional.scaled_dot_product_attention(query.float(), key.float(), value.float())
    found = attention.attend(query, key, value)
    assert found.shape == exact.shape
    return float((found.float() - exact).norm() / exact.norm())


@computes
@pytest.mark.parametrize(
    ("tokens", "others", "features"),
    [
        (576, 576, 40),  # whole blocks of everything
        (100, 77, 160),  # no whole ones of tokens and keys, many vectors of features
        (520, 193, 80),  # a key more than a block
        (flash.PART + 3, 50, 6),  # a piece of work with fewer rows than are computed at a time
        (flash.ROWS, 1, 2),
        (64, 64, 34),
    ],
)
@pytest.mark.parametrize("spread", [0.1, 1, 10])
def test_it_is_softmax_attention(tokens: int, others: int, features: int, spread: float) -> None:
    assert _deviation(*_inputs(tokens, others, features, spread)) < _TOLERANCE


@computes
@pytest.mark.parametrize("row", [0, 5])
def test_logits_may_lie_as_far_apart_as_they_like(row: int) -> None:
    query, key, value = _inputs(128, 300, 40)
    # The largest logit comes last, and those before weigh nothing beside it.
    query[:, :, row] = 40 * key[:, :, -1]
    key[:, :, -1] *= 40
    assert _deviation(query, key, value) < _TOLERANCE
    found = attention.attend(query, key, value)
    assert torch.equal(found[:, :, row], value[:, :, -1])


@computes
def test_a_row_depends_neither_on_its_neighbours_nor_on_threads() -> None:
    query, key, value = _inputs(flash.PART + 40, 300, 40)
    found = attention.attend(query, key, value)
    alone = attention.attend(query[1:, :, 33:90], key[1:], value[1:])
    assert torch.equal(alone, found[1:, :, 33:90])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert torch.equal(attention.attend(query, key, value), found)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("why", ["few", "odd", "apart"])
def test_what_it_does_not_serve_is_left_to_pytorch(why: str) -> None:
    query, key, value = {
        "few": _inputs(flash.ROWS - 1, 20, 40),
        "odd": _inputs(20, 20, 7),
        "apart": _inputs(20, 20, 40),
    }[why]
    if why == "apart":
        query = query.mT.contiguous().mT
    exact = functional.scaled_dot_product_attention(query, key, value)
    assert torch.equal(attention.attend(query, key, value), exact)


@pytest.mark.parametrize("answer", ["wrong", OSError, AttributeError, RuntimeError])
def test_it_is_not_used_where_it_does_not_serve(
    answer: str | type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(query: torch.Tensor, _key: torch.Tensor, _value: torch.Tensor) -> torch.Tensor:
        if isinstance(answer, str):
            return torch.zeros_like(query)
        raise answer("No.")

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(attention, "_attend", fail)
    with caplog.at_level(logging.INFO, logger=attention.__name__):
        assert not attention.pays()
    assert len(caplog.records) == 1


def test_what_the_processor_lacks_is_said_before_machine_code_is_made() -> None:
    with pytest.raises(RuntimeError, match="no such-thing in this processor"):
        machine_code.compiled(machine_code.Writer("nothing"), "such-thing")


@pytest.mark.parametrize(
    ("capabilities", "pays"),
    [
        pytest.param({"avx512_bf16": True}, True, marks=computes),
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
