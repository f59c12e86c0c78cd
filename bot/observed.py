"""Each call of the Bot API is announced when it has ended, and is a span of what it belongs to."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from telegram.error import BadRequest, NetworkError, RetryAfter
from telegram.ext import BaseRateLimiter

from bot.observers import Observer, SendDone, timed
from bot.sending import NotSent
from lookalike import tracing


class ObservedCalls(BaseRateLimiter[None]):
    """Stands around what has calls wait for their turns, or around nothing."""

    def __init__(
        self, observers: Sequence[Observer], limiter: BaseRateLimiter[None] | None = None
    ) -> None:
        """Nothing was called yet."""
        self._observers = observers
        self._limiter = limiter

    async def initialize(self) -> None:
        """Initializes what it stands around."""
        if self._limiter is not None:
            await self._limiter.initialize()

    async def shutdown(self) -> None:
        """Shuts down what it stands around."""
        if self._limiter is not None:
            await self._limiter.shutdown()

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Any:
        """Makes a call."""

        def announce(observer: Observer, seconds: float, outcome: str) -> None:
            observer.send_done(SendDone(endpoint, seconds, outcome))

        with timed(self._observers, announce, tracing.span(endpoint, kind="client"), _problem):
            if self._limiter is None:
                return await callback(*args, **kwargs)
            return await self._limiter.process_request(
                callback, args, kwargs, endpoint, data, rate_limit_args
            )


def _problem(error: BaseException) -> str:
    """What Telegram's trouble is called; whatever it refuses, by the name of the exception."""
    if isinstance(error, RetryAfter):
        return "too-many-requests"
    if isinstance(error, NetworkError) and not isinstance(error, BadRequest | NotSent):
        return "telegram-unavailable"
    return tracing.error_of(error)
