"""A pass that is compiled in the background, on the CPU: all but the recording of CUDA graphs."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch

from generator.engines import compiling
from generator.engines.compiling import CompiledPass
from generator.tasks import CancelToken
from tests.generator import tiny

pytestmark = pytest.mark.slow

SHAPE = (2, 4, 8, 8)

_LONG = 120.0


@pytest.fixture(scope="module")
def unet() -> Any:
    torch.manual_seed(0)
    return tiny.build().unet.eval().requires_grad_(requires_grad=False)


class _Backend:
    """Compiles nothing, and counts who calls what it gives back."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.calls = 0

    def __call__(self, graph: Any, _inputs: Any) -> Callable[..., Any]:
        self.may_go_on.wait()

        def run(*arguments: Any) -> Any:
            self.calls += 1
            return graph.forward(*arguments)

        return run


def _given(rows: int, side: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(rows)
    latents = torch.randn((rows, 4, side, side), generator=generator)
    return latents, torch.tensor(7), torch.randn((rows, tiny.TOKENS, 16), generator=generator)


@pytest.mark.long
@torch.no_grad()
def test_the_plain_pass_serves_until_the_compiled_one_is_there(unet: Any) -> None:
    backend = _Backend()
    predict = CompiledPass(unet, [SHAPE, (1, *SHAPE[1:])], tiny.TOKENS, backend)
    wanted = compiling.plain(unet)(*_given(2))
    assert torch.equal(predict(*_given(2)), wanted)
    assert backend.calls == 0
    backend.may_go_on.set()
    predict.wait(CancelToken(), _LONG)
    assert backend.calls == 2  # one for each shape, to compile it
    assert torch.allclose(predict(*_given(2)), wanted, atol=1e-5)
    predict(*_given(1))
    assert backend.calls == 4


@pytest.mark.long
@torch.no_grad()
@pytest.mark.parametrize(("rows", "side"), [(4, 8), (2, 12)])
def test_other_shapes_are_left_to_the_plain_pass(unet: Any, rows: int, side: int) -> None:
    backend = _Backend()
    backend.may_go_on.set()
    predict = CompiledPass(unet, [SHAPE], tiny.TOKENS, backend)
    predict.wait(CancelToken(), _LONG)
    before = backend.calls
    given = _given(rows, side)
    assert torch.equal(predict(*given), compiling.plain(unet)(*given))
    assert backend.calls == before


@torch.no_grad()
def test_the_plain_pass_stays_where_nothing_can_be_compiled(
    unet: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_graph: Any, _inputs: Any) -> Callable[..., Any]:
        raise RuntimeError("no C++ compiler\nand a page of reasons")

    with caplog.at_level(logging.WARNING, logger=compiling.__name__):
        predict = CompiledPass(unet, [SHAPE], tiny.TOKENS, refuse)
        predict.wait(CancelToken(), _LONG)
    (record,) = caplog.records
    assert "could not be compiled" in record.message
    assert "page of reasons" not in record.message
    assert torch.equal(predict(*_given(2)), compiling.plain(unet)(*_given(2)))


def test_who_waits_for_it_can_be_called_away(unet: Any) -> None:
    backend = _Backend()
    predict = CompiledPass(unet, [SHAPE], tiny.TOKENS, backend)
    token = CancelToken()
    token.cancel()
    predict.wait(token, _LONG)
    predict.wait(CancelToken(), 0)
    assert backend.calls == 0
    backend.may_go_on.set()
    predict.wait(CancelToken(), _LONG)
    assert backend.calls == 1
