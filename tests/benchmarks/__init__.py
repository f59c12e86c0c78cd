"""Tests of what measures, with tiny models and made-up figures."""
