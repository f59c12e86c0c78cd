"""`lookalike demo`: all four processes, and a Telegram of one's own to try them in."""
