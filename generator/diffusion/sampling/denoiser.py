"""The UNet's forward pass. Nothing else calls the UNet, so there is one place to make it fast.

Besides the plain pass there is one in two parts, for DeepCache (Ma et al., CVPR 2024, arXiv
2312.00858): the features that the inner layers hand to the outermost ones change little from step
to step, so that every other step can take the last ones and compute the outermost layers alone.
"""

from typing import Any

import torch

from generator.engines.compiling import Pass, plain

_FOREIGN = (
    "class_embed_type",
    "num_class_embeds",
    "addition_embed_type",
    "encoder_hid_dim_type",
    "time_cond_proj_dim",
)
"""What a UNet of Stable Diffusion 1 and 2 does not have; the pass in two parts leaves it out."""


class Denoiser:
    """A UNet as a function of noisy latents. Whatever the UNet's type, it takes and gives float32.

    Attributes:
        splits: the UNet can be computed in two parts.
    """

    def __init__(self, unet: Any, predict: Pass | None = None) -> None:
        """Wraps a UNet.

        Args:
            unet: a `UNet2DConditionModel`; its layers may be replaced by others of their kind.
            predict: its whole pass, if there is a faster one.
        """
        self._unet = unet
        self._predict = predict or plain(unet)
        self.splits = not any(getattr(unet.config, name, None) for name in _FOREIGN)

    def __call__(
        self, latents: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor:
        """What the model predicts.

        Args:
            latents: batch x channels x height x width, float32.
            timestep: one number.
            text: batch x tokens x features.
        """
        dtype = self._unet.dtype
        return self._predict(latents.to(dtype), timestep, text.to(dtype)).float()

    def deep(
        self, latents: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor, layers: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What the model predicts, and the features to give to `shallow` at the steps that follow.

        Args:
            latents: as above.
            timestep: as above.
            text: as above.
            layers: how many of the outermost layers `shallow` is to compute.
        """
        unet = self._unet
        text = text.to(unet.dtype)
        sample, emb = self._enter(latents, timestep)
        skips: tuple[torch.Tensor, ...] = (sample,)
        for block in unet.down_blocks:
            sample, more = block(sample, emb, **_text(block, text))
            skips += more
        if unet.mid_block is not None:
            sample = unet.mid_block(sample, emb, **_text(unet.mid_block, text))
        *inner, outer = unet.up_blocks
        uneven = any(side % 2**unet.num_upsamplers for side in latents.shape[-2:])
        for block in inner:
            count = len(block.resnets)
            skips, taken = skips[:-count], skips[-count:]
            size = skips[-1].shape[2:] if uneven else None
            sample = block(sample, taken, emb, upsample_size=size, **_text(block, text))
        layers = min(layers, len(outer.resnets))
        split = len(outer.resnets) - layers
        for index in range(split):
            sample = _up(outer, index, sample, skips[-1 - index], emb, text)
        features = sample
        return self._leave(features, skips[:layers], emb, text), features

    def shallow(
        self,
        latents: torch.Tensor,
        timestep: torch.Tensor,
        text: torch.Tensor,
        layers: int,
        features: torch.Tensor,
    ) -> torch.Tensor:
        """What the model predicts, the inner layers' features taken from an earlier step.

        Args:
            latents: as above.
            timestep: as above.
            text: as above.
            layers: as for `deep`.
            features: of the same rows, as `deep` gave them.
        """
        first, outer = self._unet.down_blocks[0], self._unet.up_blocks[-1]
        text = text.to(self._unet.dtype)
        sample, emb = self._enter(latents, timestep)
        skips = [sample]
        for index in range(min(layers, len(outer.resnets)) - 1):
            sample = first.resnets[index](sample, emb)
            sample = _attend(first, index, sample, text)
            skips.append(sample)
        return self._leave(features, skips, emb, text)

    def _enter(
        self, latents: torch.Tensor, timestep: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The first convolution's output, and the timestep's embedding."""
        unet = self._unet
        sample = latents.to(unet.dtype)
        if unet.config.center_input_sample:
            sample = 2 * sample - 1.0
        emb = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep), None)
        if unet.time_embed_act is not None:
            emb = unet.time_embed_act(emb)
        return unet.conv_in(sample), emb

    def _leave(self, sample: torch.Tensor, skips: Any, emb: Any, text: Any) -> torch.Tensor:
        """The outermost layers, as many as there are skips, and what comes after them."""
        unet = self._unet
        outer = unet.up_blocks[-1]
        for index, skip in enumerate(reversed(skips), len(outer.resnets) - len(skips)):
            sample = _up(outer, index, sample, skip, emb, text)
        if unet.conv_norm_out is not None:
            sample = unet.conv_act(unet.conv_norm_out(sample))
        return torch.as_tensor(unet.conv_out(sample)).float()


def _text(block: Any, text: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"encoder_hidden_states": text} if getattr(block, "has_cross_attention", False) else {}


def _up(block: Any, index: int, sample: Any, skip: Any, emb: Any, text: Any) -> Any:
    sample = block.resnets[index](torch.cat([sample, skip], dim=1), emb)
    return _attend(block, index, sample, text)


def _attend(block: Any, index: int, sample: Any, text: Any) -> Any:
    if not getattr(block, "has_cross_attention", False):
        return sample
    return block.attentions[index](sample, encoder_hidden_states=text, return_dict=False)[0]
