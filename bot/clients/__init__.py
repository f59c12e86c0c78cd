"""One client for each service that the bot talks to."""
