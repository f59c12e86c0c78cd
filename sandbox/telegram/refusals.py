"""How the Bot API says no."""

from sandbox.storage.schema import Json


class Refusal(Exception):
    """A call is refused, with Telegram's own description and its prefix.

    Attributes:
        status: the HTTP status and `error_code`.
        description: what the answer says.
        parameters: `ResponseParameters`, such as `retry_after`.
    """

    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def answer(self) -> Json:
        """The body of the answer."""
        body: Json = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(description: str) -> Refusal:
    """A refusal with status 400."""
    return Refusal(400, f"Bad Request: {description}")


def forbidden(description: str) -> Refusal:
    """A refusal with status 403."""
    return Refusal(403, f"Forbidden: {description}")


def too_many_requests(seconds: int) -> Refusal:
    """A refusal with status 429."""
    return Refusal(
        429, f"Too Many Requests: retry after {seconds}", parameters={"retry_after": seconds}
    )
