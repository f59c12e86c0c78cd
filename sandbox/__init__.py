"""A Telegram of your own: a Bot API server to try things out and to test."""
