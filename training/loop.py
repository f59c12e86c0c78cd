"""What all stages of training share: steps, checkpoints, averages, log and progress bar."""

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from training import distributed
from training.muon import Muon

_NARROW: Final = 16
_WARM_UP: Final = 200
_COOL_DOWN: Final = 0.2
"""The last share of the steps, in which the learning rate falls to zero."""

_log = logging.getLogger(__name__)


class Average:
    """An exponential moving average of the weights; it draws better than the weights themselves."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in _weights(module)}

    def update(self, module: nn.Module, step: int) -> None:
        """Moves towards the module's weights; faster during the first steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        names, values = zip(*_weights(module), strict=True)
        torch._foreach_lerp_([self.values[name] for name in names], values, 1 - decay)


def _weights(module: nn.Module) -> Iterable[tuple[str, Tensor]]:
    return ((name, value.data) for name, value in module.named_parameters())


class Stage:
    """A module in training, with a checkpoint from which it resumes.

    All randomness of a step comes from its number and the seed, so an interrupted run ends with the
    same weights as one that was not interrupted.

    Attributes:
        step: steps done.
        module: what is trained.
        average: of its weights.
    """

    def __init__(self, file: Path, module: nn.Module, *, rate: float, decay: float) -> None:
        """Resumes from `file` if it is there.

        Args:
            file: the checkpoint.
            module: what is trained.
            rate: the learning rate between warming up and cooling down.
            decay: of the average, for each step.
        """
        self._file = file
        self.step = 0
        self.module = module
        self.average = Average(module, decay)
        matrices, others = _sorted(module)
        self._optimizers = (
            Muon(matrices, rate),
            torch.optim.AdamW(others, rate / 2, betas=(0.9, 0.99), weight_decay=0.0, foreach=True),
        )
        self._rates = (rate, rate / 2)
        if file.exists():
            device = next(module.parameters()).device
            self._load(torch.load(file, map_location=device, weights_only=True))

    def run(
        self,
        steps: int,
        loss: Callable[[int], Tensor],
        *,
        every: int,
        report: Callable[[int], None],
    ) -> None:
        """Trains until `steps` are done in all.

        Args:
            steps: at which step to end.
            loss: of the step with that number.
            every: after how many steps a checkpoint is written and `report` is called.
            report: called with the number of steps done.
        """
        from tqdm import tqdm  # type: ignore[import-untyped]  # it ships no types

        mean = 0.0
        begun, first = time.monotonic(), self.step
        with tqdm(
            total=steps,
            initial=self.step,
            desc=self._file.stem,
            mininterval=5,
            disable=distributed.rank() > 0,
        ) as bar:
            while self.step < steps:
                for optimizer, rate in zip(self._optimizers, self._rates, strict=True):
                    optimizer.param_groups[0]["lr"] = rate * _schedule(self.step, steps)
                value = loss(self.step)
                value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                distributed.average(w.grad for w in self.module.parameters() if w.grad is not None)
                nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
                for optimizer in self._optimizers:
                    optimizer.step()
                    optimizer.zero_grad()
                self.step += 1
                self.average.update(self.module, self.step)
                mean += (value.item() - mean) * (0.02 if mean else 1.0)
                bar.update()
                bar.set_postfix_str(f"loss {mean:.4f}", refresh=False)
                if distributed.rank() == 0 and (self.step % every == 0 or self.step == steps):
                    pace = (time.monotonic() - begun) / (self.step - first)
                    _log.info(
                        "%s step %d loss %.4f, %.3f s a step",
                        self._file.stem,
                        self.step,
                        mean,
                        pace,
                    )
                    self._save()
                    report(self.step)

    def _save(self) -> None:
        state = {
            "step": self.step,
            "module": self.module.state_dict(),
            "average": self.average.values,
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
        }
        written = self._file.with_suffix(".new")
        torch.save(state, written)
        written.replace(self._file)

    def _load(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.module.load_state_dict(state["module"])
        self.average.values = state["average"]
        for optimizer, kept in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)


def _sorted(module: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The weights for Muon, inside the networks; and for Adam: their ends, tables and vectors."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, weight in module.named_parameters():
        if weight.requires_grad:
            inside = (
                weight.ndim > 1 and min(weight.shape[:2]) >= _NARROW and "embedding" not in name
            )
            (matrices if inside else others).append(weight)
    return matrices, others


def _schedule(step: int, steps: int) -> float:
    """The share of the learning rate: rising, constant, and falling to zero at the end."""
    left = (steps - step) / max(1.0, _COOL_DOWN * steps)
    return min(1.0, (step + 1) / _WARM_UP, left)
