"""The sandbox's tables.

What is an object on Telegram (a message, an update) is stored as that object's JSON: the sandbox
looks things up by their ids only.
"""

from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
)

Json: TypeAlias = dict[str, Any]
"""An object of the Bot API, as JSON has it."""

VERSION = 1
"""Stored in the file's `user_version`; raised with every change of a table that is there. A new one
is added where it lacks."""

metadata = MetaData()

counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

options = Table(
    "options",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", JSON, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("user", JSON, nullable=False),
)

chats = Table(
    "chats",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("chat", JSON, nullable=False),
    Column("members", JSON, nullable=False),  # ids of the people; the bot is in `bot_status`
    Column("bot_status", String, nullable=False),  # member, left or kicked, as in ChatMember
    Column("migrated_to", BigInteger),
)

messages = Table(
    "messages",
    metadata,
    Column("chat_id", BigInteger, primary_key=True),
    Column("message_id", BigInteger, primary_key=True),
    Column("message", JSON, nullable=False),
    Column("edits", Integer, nullable=False, default=0),
    Column("deleted", Boolean, nullable=False, default=False),
)

updates = Table(
    "updates",
    metadata,
    Column("update_id", BigInteger, primary_key=True),
    Column("time", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("payload", JSON, nullable=False),
)

client_markups = Table(
    "client_markups",  # keyboards and forced replies: what a message does to where people write
    metadata,
    Column("chat_id", BigInteger, primary_key=True),
    Column("message_id", BigInteger, primary_key=True),
    Column("markup", JSON, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("file_id", String, primary_key=True),
    Column("path", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("original", String, nullable=False, index=True),  # shared by the sizes of one photo
    Column("media_type", String, nullable=False),  # of the original
    Column("content", JSON, nullable=False),  # what a message with it holds: photo or document
    Column("valid", Boolean, nullable=False, default=True),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", String, primary_key=True),
    Column("time", Float, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("answer", JSON(none_as_null=True)),
)

inline_queries = Table(
    "inline_queries",
    metadata,
    Column("id", String, primary_key=True),
    Column("time", Float, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("answer", JSON(none_as_null=True)),
)

reactions = Table(
    "reactions",
    metadata,
    Column("chat_id", BigInteger, primary_key=True),
    Column("message_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("emoji", JSON, nullable=False),  # as many as there are; without any there is no row
)

commands = Table(
    "commands",
    metadata,
    Column("scope", String, primary_key=True),
    Column("language_code", String, primary_key=True),
    Column("commands", JSON, nullable=False),
)

menu_buttons = Table(
    "menu_buttons",
    metadata,
    Column(
        "chat_id", BigInteger, primary_key=True, autoincrement=False
    ),  # 0: of all that have none
    Column("button", JSON, nullable=False),
)

prepared_messages = Table(
    "prepared_messages",
    metadata,
    Column("id", String, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("expires", Integer, nullable=False),
    Column("content", JSON, nullable=False),  # the fields of the message that it becomes
    Column("kinds", JSON, nullable=False),  # of the chats that it may be sent to
)

profile = Table(
    "profile",  # of the bot, as it was set by the bot itself
    metadata,
    Column("field", String, primary_key=True),
    Column("language_code", String, primary_key=True),
    Column("value", JSON, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("data", JSON, nullable=False),
    sqlite_autoincrement=True,
)
