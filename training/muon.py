"""Muon: momentum whose steps use all directions of a matrix equally.

It memorizes faster than Adam, above all what is rare. Source: K. Jordan, Muon (2024); its scaling
to Adam's rates is from arXiv 2502.16982.
"""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from training import distributed

_MOMENTUM: Final = 0.95
_ROUNDS: Final = 5
_QUINTIC: Final = (3.4445, -4.7750, 2.0315)
_LIKE_ADAM: Final = 0.2
"""The size of a step of Adam's, in units of the rate."""


class Muon(torch.optim.Optimizer):
    """For matrices and convolutions; each process computes the steps of a share of them."""

    def __init__(self, weights: Sequence[nn.Parameter], rate: float) -> None:
        super().__init__(weights, {"lr": rate})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Moves all weights that have a gradient; `closure` is the interface's, and unused."""
        del closure
        for group in self.param_groups:
            moving = [weight for weight in group["params"] if weight.grad is not None]
            moves = [torch.zeros_like(weight) for weight in moving]
            for number, (weight, move) in enumerate(zip(moving, moves, strict=True)):
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].lerp_(weight.grad, 1 - _MOMENTUM)
                if number % distributed.world_size() == distributed.rank():
                    ahead = weight.grad.lerp(momentum, _MOMENTUM)
                    move.copy_(_levelled(ahead.flatten(1)).view_as(weight))
            distributed.average(moves)
            for weight, move in zip(moving, moves, strict=True):
                side = max(weight.shape[0], weight[0].numel())
                weight.add_(
                    move, alpha=-group["lr"] * distributed.world_size() * _LIKE_ADAM * side**0.5
                )


def _levelled(matrix: Tensor) -> Tensor:
    """About the nearest matrix with orthogonal rows or columns, by Newton-Schulz iteration."""
    first, second, third = _QUINTIC
    upright = matrix.shape[0] > matrix.shape[1]
    values = (matrix.T if upright else matrix).bfloat16()
    values /= values.norm() + 1e-7
    for _ in range(_ROUNDS):
        square = values @ values.T
        values = first * values + (second * square + third * square @ square) @ values
    return (values.T if upright else values).float()
