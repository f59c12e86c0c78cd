"""The durable job queue: what was asked for, in which order it is computed, and what came of it."""
