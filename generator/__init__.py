"""The XML web service around Stable Diffusion.

`server` puts it together. `web` answers requests, `jobs` is the durable queue, `scheduling` takes
jobs from it and has them computed by one of `executors`, `diffusion` computes them here; `engines`
makes a model fast on the machine at hand, and `models` knows in which forms one comes.
"""
