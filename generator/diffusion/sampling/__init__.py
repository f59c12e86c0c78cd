"""How a picture comes out of noise: the loop, and what it calls."""
