"""`python -m bot`: the bot as a process."""

from bot.app import run
from bot.settings import BotSettings
from lookalike.lifecycle import run as run_process

if __name__ == "__main__":
    run_process("bot", BotSettings, run)
