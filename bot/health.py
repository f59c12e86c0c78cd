"""How the services are that the bot depends on, as codes; texts are chosen when they are shown."""

import logging
from enum import StrEnum

_log = logging.getLogger(__name__)


class Health(StrEnum):
    """How a service was when it was last asked."""

    NOT_ASKED = "not-asked"
    OK = "ok"
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"


class ServiceHealth:
    """How one service was last seen. Only a change is worth a line in the log.

    Attributes:
        code: how it was.
        failures: how often in a row it did not answer as it should.
    """

    def __init__(self, name: str) -> None:
        """`name` begins a sentence in the log: "The captioner"."""
        self.code = Health.NOT_ASKED
        self.failures = 0
        self._name = name

    @property
    def in_trouble(self) -> bool:
        """Whether it did not answer as it should when it was last asked."""
        return self.code not in {Health.NOT_ASKED, Health.OK}

    def ok(self) -> None:
        """It has just answered as it should."""
        if self.in_trouble:
            _log.info("%s is back.", self._name)
        self.code = Health.OK
        self.failures = 0

    def failing(self, code: Health, reason: object) -> None:
        """It has just not answered, or not as it should."""
        if self.code != code:
            _log.warning("%s is %s: %s", self._name, code, reason)
        self.code = code
        self.failures += 1
