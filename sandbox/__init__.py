"""A Telegram of your own: a Bot API server for trying and testing."""
