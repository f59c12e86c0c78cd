"""Tests of how the small model is made, and of what was made."""
