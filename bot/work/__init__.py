"""A generation that this process works on: its lease, its memory, and what is sent for it."""
