"""What the bot says, a module for each language."""
