"""The bot's own HTTP front: health checks, and Telegram's webhook."""
