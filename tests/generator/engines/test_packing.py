"""Packed layers give what plain ones do, and are left out where they would not."""

import copy
import logging
from typing import Any

import pytest
import torch
from torch import nn

from generator.engines import packing, winograd
from generator.engines.layers import PackedConv2d, PackedLinear
from generator.engines.resnets import PackedResnet
from generator.engines.winograd import WinogradConv2d
from tests.generator import tiny

pytestmark = pytest.mark.slow

_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.05}
"""Of the largest number: a tiny UNet's sums in another order."""


@pytest.fixture(autouse=True, params=["few products", "plain products"])
def _products(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models' convolutions have so few channels that Winograd's algorithm would not pay."""
    if request.param == "few products":
        monkeypatch.setattr(winograd, "_LEAST", 0)


@pytest.fixture(scope="module")
def plain() -> Any:
    torch.manual_seed(0)
    return tiny.build()


def _denoise(unet: Any, cells: tuple[int, int], rows: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn((rows, 4, *cells), generator=generator).to(unet.dtype)
    text = torch.randn((rows, tiny.TOKENS, 16), generator=generator).to(unet.dtype)
    with torch.no_grad():
        return torch.as_tensor(unet(latents, torch.tensor(500), text).sample.float())


@pytest.mark.long
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("cells", "rows"), [((8, 8), 2), ((32, 32), 1), ((24, 10), 4), ((6, 2), 16)]
)
def test_a_packed_unet_predicts_what_a_plain_one_does(
    plain: Any, dtype: torch.dtype, cells: tuple[int, int], rows: int
) -> None:
    wanted = _denoise(plain.unet, cells, rows)
    unet = copy.deepcopy(plain.unet).to(dtype)
    packed = packing.pack(unet)  # not everywhere: oneDNN may lack a precision
    assert packed == packing._works(dtype)
    assert packed != any(isinstance(layer, nn.Linear | nn.Conv2d) for layer in unet.modules())
    found = _denoise(unet, cells, rows)
    assert float((found - wanted).abs().max()) <= _TOLERANCE[dtype] * float(wanted.abs().max())
    assert torch.equal(found, _denoise(unet, cells, rows))


@pytest.mark.long
@pytest.mark.parametrize("cells", [(8, 8), (5, 12)])
def test_a_packed_decoder_draws_what_a_plain_one_does(plain: Any, cells: tuple[int, int]) -> None:
    latents = torch.randn((1, 4, *cells), generator=torch.Generator().manual_seed(2))
    vae = copy.deepcopy(plain.vae)
    with torch.no_grad():
        wanted = plain.vae.decode(latents).sample
        packing.pack(vae)
        found = vae.decode(latents).sample
    assert any(isinstance(layer, PackedResnet) for layer in vae.decoder.modules())
    assert torch.allclose(found, wanted, atol=1e-4 * float(wanted.abs().max()), rtol=0)


@pytest.mark.parametrize("answer", ["wrong", "missing", "refused"])
def test_a_model_stays_as_it_is_where_packed_layers_do_not_serve(
    answer: str,
    plain: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_layer: Any, rows: torch.Tensor, terms: torch.Tensor) -> torch.Tensor:
        match answer:
            case "wrong":
                return rows.new_zeros(terms.shape)
            case "missing":
                raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute")
            case _:
                raise RuntimeError("could not create a primitive\nat somewhere")

    monkeypatch.setattr(PackedLinear, "plus", fail)
    unet = copy.deepcopy(plain.unet)
    wanted = _denoise(unet, (8, 8), 2)
    with caplog.at_level(logging.INFO, logger=packing.__name__):
        assert not packing.pack(unet)
    assert len(caplog.records) == 1
    assert torch.equal(_denoise(unet, (8, 8), 2), wanted)


def test_half_precision_of_gpus_is_not_packed(plain: Any) -> None:
    assert not packing.pack(copy.deepcopy(plain.unet).half())


def test_layers_of_the_fewest_cells_keep_their_weights_as_they_are(
    plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winograd, "_LEAST", 0)
    unet = copy.deepcopy(plain.unet)
    packing.pack(unet)
    first, *_, last = unet.down_blocks
    assert any(isinstance(layer, WinogradConv2d) for layer in first.modules())
    for block in (last, unet.mid_block, unet.up_blocks[0].resnets):
        kinds = {type(layer) for layer in block.modules()}
        assert PackedConv2d in kinds
        assert WinogradConv2d not in kinds


@torch.no_grad()
def test_other_words_are_read_anew(plain: Any) -> None:
    packed = copy.deepcopy(plain.unet)
    packing.pack(packed)
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn((1, 4, 8, 8), generator=generator)
    first, second = torch.randn((2, 1, tiny.TOKENS, 16), generator=generator)
    for text in (first, first.clone(), second, first, torch.cat([first, second])):
        given = (latents.expand(len(text), -1, -1, -1), torch.tensor(500), text)
        wanted = plain.unet(*given).sample
        deviation = (packed(*given).sample - wanted).abs().max()
        assert deviation < 1e-4 * wanted.abs().max()
        assert deviation < 0.1 * (plain.unet(*given[:2], text + 1).sample - wanted).abs().max()


@pytest.mark.parametrize(("cells", "rows"), [((8, 8), 1), ((12, 20), 3)])
def test_what_a_batch_has_twice_is_computed_once(
    plain: Any, cells: tuple[int, int], rows: int
) -> None:
    unet = copy.deepcopy(plain.unet)
    packing.pack(unet)
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn((rows, 4, *cells), generator=generator)
    text = torch.randn((2 * rows, tiny.TOKENS, 16), generator=generator)
    first = unet.down_blocks[0].resnets[0]._first
    seen: list[int] = []
    first.register_forward_hook(lambda _layer, given, _found: seen.append(len(given[0])))
    with torch.no_grad():
        both = unet(torch.cat([latents, latents]), torch.tensor(500), text).sample
        halves = [unet(latents, torch.tensor(500), half).sample for half in torch.split(text, rows)]
    assert seen[0] == rows
    wanted = torch.cat(halves)
    assert torch.allclose(both, wanted, rtol=0, atol=1e-4 * float(wanted.abs().max()))
