"""One call of a Bot API method."""

import asyncio
from dataclasses import dataclass

from sandbox.botapi.params import Params
from sandbox.state import Sandbox


@dataclass(frozen=True)
class Call:
    """What a method gets.

    Attributes:
        sandbox: the state it works on.
        params: what it was given.
        gone: set when the client has gone.
    """

    sandbox: Sandbox
    params: Params
    gone: asyncio.Event
