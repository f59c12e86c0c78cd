"""The XML web service around Stable Diffusion."""
