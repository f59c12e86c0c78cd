"""`python -m bot`."""

from bot.app import running
from bot.settings import BotSettings
from lookalike.lifecycle import serve

if __name__ == "__main__":
    serve("bot", BotSettings, running)
