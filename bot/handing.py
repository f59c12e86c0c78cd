"""What the door has made of an update, until it is handled."""

from typing import Any, Final

from telegram import Update

_MOST: Final = 10_000  # more than updates may wait


class Handing:
    """Things by their updates; of too many, the oldest are dropped."""

    def __init__(self) -> None:
        """Holds nothing yet."""
        self._held: dict[int, Any] = {}

    def put(self, update: Update, thing: Any) -> None:
        """Keeps it for the update's handler."""
        self._held[update.update_id] = thing
        if len(self._held) > _MOST:
            del self._held[next(iter(self._held))]

    def take(self, update: Update, otherwise: Any) -> Any:
        """What was kept, once; `otherwise`, if nothing is."""
        return self._held.pop(update.update_id, otherwise)
