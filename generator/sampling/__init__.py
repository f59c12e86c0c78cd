"""How a picture comes out of noise: presets, and the loop that follows them.

Importing this package costs nothing; its modules bring PyTorch along, but for `presets`.
"""
