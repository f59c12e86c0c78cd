"""How large the model is and how long it is trained: one profile for each device."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Device: TypeAlias = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Profile:
    """What the stages of training read.

    Attributes:
        device: where it is trained.
        processes: how many train together, each on one core.
        every_name: whether all emoji with a name and art are concepts, or the reviewed ones only.
        noto: the share of Noto's art among pictures and captions; the rest is Fluent's.
        side: width and height in pixels; a place in the latents stands for 8x8 of them.
        latent_channels: numbers for each of these places.
        coder_channels: of the autoencoder, from full resolution down to an eighth of it.
        unet_channels: of the UNet, each at half the resolution of the one before.
        pictures: in a batch of the autoencoder.
        captions: in a batch of UNet and text encoder.
        levels: noisy views for each caption.
        shared_from: the step from which on a caption's share is learnt, see `diffusion`.
        autoencoder_steps: how many.
        diffusion_steps: how many, for UNet and text encoder together.
        decoder_steps: how many, for the decoder alone at the end.
    """

    device: Device
    processes: int
    every_name: bool
    noto: float
    side: int
    latent_channels: int
    coder_channels: tuple[int, int, int, int]
    unet_channels: tuple[int, ...]
    pictures: int
    captions: int
    levels: int
    shared_from: int
    autoencoder_steps: int
    diffusion_steps: int
    decoder_steps: int


PROFILES: Final[dict[Device, Profile]] = {
    "cpu": Profile(
        device="cpu",
        processes=2,
        every_name=False,
        noto=0.3,
        side=64,
        latent_channels=8,
        coder_channels=(24, 48, 96, 128),
        unet_channels=(96, 160),
        pictures=18,
        captions=36,
        levels=4,
        shared_from=2_250,
        autoencoder_steps=3_100,
        diffusion_steps=7_400,
        decoder_steps=3_150,
    ),
    "cuda": Profile(
        device="cuda",
        processes=1,
        every_name=True,
        noto=0.35,
        side=128,
        latent_channels=4,
        coder_channels=(24, 48, 96, 128),
        unet_channels=(64, 96, 128),
        pictures=128,
        captions=256,
        levels=4,
        shared_from=4_000,
        autoencoder_steps=4_000,
        diffusion_steps=12_000,
        decoder_steps=3_000,
    ),
}
"""The model in the package has the first profile. The second was never run, for lack of a GPU."""
