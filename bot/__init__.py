"""The Telegram front: what a chat partner meets."""
