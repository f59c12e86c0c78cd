"""The Telegram front: what a chat partner meets."""

import os

# python-telegram-bot gives times as timedelta from its next major version on, and warns whoever has
# not asked for that yet.
os.environ["PTB_TIMEDELTA"] = "1"
