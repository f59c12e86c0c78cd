"""What Telegram's servers do: chats, messages, files, updates, and the rules they keep to."""
