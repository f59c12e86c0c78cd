"""The durable job queue: what people asked for, whose turn it is, and what came of it."""
