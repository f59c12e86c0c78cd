"""Where a claimed job is computed."""
