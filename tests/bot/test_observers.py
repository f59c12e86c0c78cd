"""A delivered picture is one line of the log."""

import logging
from contextlib import suppress

import pytest

from bot.observers import Delivered, LogObserver, Observer, RpcDone, timed


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (
            (0.84, 3.06, 45.21),
            "Delivered to telegram:42: caption 0.8 s, waited 3.1 s, painted 45.2 s.",
        ),
        ((None, None, 1.0), "Delivered to telegram:42: painted 1.0 s."),
        ((None, None, None), "Delivered to telegram:42."),
    ],
)
def test_what_is_not_known_is_left_out(
    seconds: tuple[float | None, float | None, float | None],
    line: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    LogObserver().delivered(Delivered("an-id", "telegram:42", 60.0, *seconds))
    assert caplog.messages == [line]


class Outcomes(Observer):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def rpc_done(self, event: RpcDone) -> None:
        assert event.seconds >= 0
        self.heard.append(event.outcome)


class Refused(Exception):
    code = "unknown-job"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(None, "ok"), (Refused(), "unknown-job"), (TimeoutError(), "TimeoutError")],
)
def test_every_observer_hears_how_it_ended(error: Exception | None, outcome: str) -> None:
    observers = [Outcomes(), Outcomes()]

    def announce(observer: Observer, seconds: float, outcome: str) -> None:
        observer.rpc_done(RpcDone("dbservice", "GetStatus", seconds, outcome))

    with (
        suppress(Refused, TimeoutError),
        timed(observers, announce),
    ):
        if error is not None:
            raise error
    assert [observer.heard for observer in observers] == [[outcome], [outcome]]
