"""The one bot account that the sandbox knows."""

from dataclasses import dataclass

from sandbox.storage.schema import Json


@dataclass(frozen=True)
class BotAccount:
    """A bot as @BotFather would have made it.

    Attributes:
        token: what it shows with every call; the number before the colon is its id.
    """

    token: str

    @property
    def id(self) -> int:
        """Its user id."""
        return int(self.token.partition(":")[0])

    @property
    def user(self) -> Json:
        """Its `User`, as messages show it."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": "Lookalike",
            "username": "lookalike_sandbox_bot",
        }
