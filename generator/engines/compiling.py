"""Compiles a UNet's pass in the background, for GPUs; until then, the plain one is used.

Compiled passes have fixed shapes: the model's own size and the rows of the usual batches. Other
shapes stay with the plain pass. On CUDA a compiled pass is also recorded as a graph, which the
device runs without being told about each kernel.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from generator.tasks import CancelToken

Pass = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Noisy latents, timestep and text to what is predicted."""

_OPTIONS: dict[str, Any] = {
    "max_autotune": True,
    "conv_1x1_as_mm": True,
    "coordinate_descent_tuning": True,
}
"""Of PyTorch's compiler: it times several kernels for each product. Source: PyTorch's article
"Accelerating Generative AI Part III: Diffusion, Fast", 2024."""

_LOOK_SECONDS = 0.2

_WARM_UP = 3
"""Passes before a recording; the libraries make their workspaces then (torch.cuda.graph)."""

_device_is_mine = threading.Lock()
"""Held while the compiler waits for the device, which would end a recording, and during one."""

_log = logging.getLogger(__name__)


def plain(unet: Any) -> Pass:
    """A UNet's pass as diffusers computes it."""

    def predict(latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        found = unet(latents, timestep, encoder_hidden_states=text, return_dict=False)[0]
        return torch.as_tensor(found)

    return predict


class CompiledPass:
    """A pass that becomes faster while it is used."""

    def __init__(
        self,
        unet: Any,
        shapes: Sequence[tuple[int, ...]],
        tokens: int,
        backend: str | Callable[..., Any] = "inductor",
    ) -> None:
        """Starts to compile in a thread of its own.

        Args:
            unet: a `UNet2DConditionModel` on its device.
            shapes: of latents, the most wanted first: rows x channels x height x width.
            tokens: of a prompt.
            backend: of `torch.compile`.
        """
        self._plain = plain(unet)
        self._unet = unet
        self._ready: dict[tuple[int, ...], Pass] = {}
        self._records = True
        self._backend = backend
        self._thread = threading.Thread(
            target=self._compile, args=(shapes, tokens), name="compiler", daemon=True
        )
        self._thread.start()

    def __call__(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        """Computes a pass by the fastest way there is for its shape by now."""
        shape = tuple(latents.shape)
        compiled = self._ready.get(shape)
        if compiled is None:
            return self._plain(latents, timestep, text)
        given = latents, timestep.to(latents.device, torch.float32), text
        wanted = latents.is_cuda and self._records and not isinstance(compiled, _Recorded)
        if wanted and _device_is_mine.acquire(blocking=False):  # else at a later pass
            try:
                compiled = self._ready[shape] = _Recorded(compiled, given)
            except RuntimeError as error:
                _log.warning("No graph could be recorded: %s", str(error).partition("\n")[0])
                self._records = False
            finally:
                _device_is_mine.release()
        return compiled(*given)

    def wait(self, token: CancelToken, seconds: float) -> None:
        """Waits until everything is compiled, the token is cancelled, or time is up."""
        until = time.monotonic() + seconds
        while self._thread.is_alive() and not token.cancelled and time.monotonic() < until:
            self._thread.join(_LOOK_SECONDS)

    def _compile(self, shapes: Sequence[tuple[int, ...]], tokens: int) -> None:
        try:
            self._compile_all(shapes, tokens)
        except Exception as error:  # noqa: BLE001, a compiler and what it calls fail in many ways
            _log.warning(
                "The model could not be compiled and stays slower: %s: %s",
                type(error).__name__,
                str(error).partition("\n")[0],
            )

    @torch.no_grad()
    def _compile_all(self, shapes: Sequence[tuple[int, ...]], tokens: int) -> None:
        unet = self._unet
        compiled = torch.compile(
            self._plain,
            backend=self._backend,
            fullgraph=True,
            dynamic=False,
            options=_OPTIONS if self._backend == "inductor" else None,
        )
        kind = {"dtype": unet.dtype, "device": unet.device}
        timestep = torch.zeros((), device=unet.device)
        for shape in shapes:
            began = time.perf_counter()
            latents = torch.zeros(shape, **kind)
            text = torch.zeros((shape[0], tokens, unet.config.cross_attention_dim), **kind)
            with _device_is_mine:
                compiled(latents, timestep, text)
            self._ready[shape] = compiled
            seconds = time.perf_counter() - began
            _log.info("Compiled the model for %d rows in %.0f s.", shape[0], seconds)


class _Recorded:
    """A pass as a CUDA graph: its kernels in their order, on inputs that stay where they are."""

    def __init__(self, call: Pass, given: Sequence[Tensor]) -> None:
        self._given = [tensor.clone() for tensor in given]
        latents, timestep, text = self._given
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                call(latents, timestep, text)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # The compiling thread may allocate memory in the meantime.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._found = call(latents, timestep, text)

    def __call__(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        for kept, new in zip(self._given, (latents, timestep, text), strict=True):
            kept.copy_(new)
        self._graph.replay()
        return self._found.clone()
