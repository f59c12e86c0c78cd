"""Stable Diffusion itself: a loaded model, and how pictures come out of it.

`pipeline` is the loaded model, `sampling` takes the noise away. Importing this package costs
nothing; its modules bring PyTorch along, but for `memory` and `options`.
"""
