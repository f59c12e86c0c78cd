"""Throws mutated input at each door that strangers can reach, and says what broke.

A target is a door that is open: it takes bytes, and raises `Broken` where the answer is not one
that the documents promise. The same seed gives the same cases.
"""
