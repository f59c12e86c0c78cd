"""What a running sandbox consists of, as its routes get it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from lookalike.imaging.decoder import Decoder
from sandbox.faults import Faults
from sandbox.storage.database import Database
from sandbox.telegram.account import BotAccount
from sandbox.telegram.updates import Poller
from sandbox.telegram.webhook import Deliveries


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox.

    Attributes:
        database: the state on disk.
        bot: the bot that may call.
        poller: getUpdates' long poll.
        deliveries: what is on its way to the webhook.
        decoder: opens documents, which may be anything, in processes that may die of them.
        faults: what tests have queued.
        note: a sentence that the chat page shows over every chat; may be empty.
        stop: set when the process is asked to stop; whoever waits then stops waiting.
    """

    database: Database
    bot: BotAccount
    poller: Poller
    deliveries: Deliveries
    decoder: Decoder
    faults: Faults
    note: str
    stop: asyncio.Event


def _of_request(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


InSandbox = Annotated[Sandbox, Depends(_of_request)]
"""The type of a route's argument that gives it the sandbox."""
